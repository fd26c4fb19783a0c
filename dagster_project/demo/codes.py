"""The closed lists of the demo company; the simulation holds positions in them, the files their texts."""

CHANNELS = ("email", "phone", "chat", "web_form")
DEPARTMENTS = ("support", "billing", "technical")
CURRENCIES = ("EUR", "GBP")
ORDER_KINDS = ("sale", "credit_memo")
FINANCIAL_STATES = ("paid", "voided")
ORDER_STATES = ("fulfilled", "cancelled")
TICKET_STATES = ("open", "solved", "closed", "deleted", "spam", "merged")
TICKET_TYPES = ("question", "incident", "complaint", "request")
ISSUES = ("delivery", "damage", "invoice", "login", "setup", "return", "other")
OUTCOMES = ("answered", "abandoned_queue")
REFUND_REASONS = ("defect", "late", "changed_mind", "goodwill")
QUESTIONS = ("csat_overall", "ces_effort", "nps_recommend")
COMMENTS = (
    "Quick and friendly, thank you.",
    'The agent said "it is on its way", and it was.',
    "Had to call twice, and explain everything again.",
    "Still waiting for a refund; nobody answers.",
    "Très bien, merci",
    "Fine",
    "The parcel was damaged, the replacement was not.",
    "-",
)
COST_CATEGORIES = ("people", "it", "facilities", "other")
POOLS = (
    "people-support",
    "people-billing",
    "people-technical",
    "it-shared",
    "it-technical",
    "facilities-shared",
    "other-shared",
    "outside-service",
)
SITES = ("north", "south")
VENDORS = ("Lumen Cloud", "Nordtel", "Hallway Estates", "Brightpath Training")
LEGAL_ENTITY = "DEMO"
