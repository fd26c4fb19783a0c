"""The closed lists of the demo company; the simulation holds positions in them, the files their texts."""

CHANNELS = ("email", "phone", "chat", "web_form")
EMAIL, PHONE, CHAT, FORM = range(4)
DEPARTMENTS = ("support", "billing", "technical")
CURRENCIES = ("EUR", "GBP", "USD")
COUNTRIES = ("DE", "FR", "IT", "GB", "US", "JP", "CN")
COUNTRY_SHARES = (2_800, 1_600, 1_300, 1_700, 1_200, 700, 700)
COUNTRY_CURRENCY = (0, 0, 0, 1, 2, 2, 2)
COUNTRY_LANGUAGE = (0, 1, 2, 3, 3, 4, 5)
LANGUAGES = ("de", "fr", "it", "en", "ja", "zh")
SEGMENTS = ("core", "growth", "starter")
SIZE_BANDS = ("large", "medium", "small", "micro")
INDUSTRIES = ("retail", "hospitality", "manufacturing", "health", "education", "trades")
ACQUISITION_SOURCES = ("search", "referral", "partner", "event", "direct")
ACQUISITION_COST_CENTS = (4_200, 1_500, 6_800, 9_500, 0)
CLOSE_REASONS = ("unhappy with service", "no longer needed")
MERGE_REASONS = ("duplicate", "acquired")
ORDER_KINDS = ("sale", "credit_memo")
FINANCIAL_STATES = ("paid", "voided")
ORDER_STATES = ("fulfilled", "cancelled")
TICKET_STATES = ("open", "solved", "closed", "deleted", "spam", "merged")
STATE = {name: position for position, name in enumerate(TICKET_STATES)}
TICKET_STATUS = ("new", "open", "pending", "on_hold", "solved", "closed", "deleted", "spam", "merged")
TICKET_TYPES = ("question", "incident", "complaint", "request", "problem")
ISSUES = ("delivery", "damage", "invoice", "login", "setup", "return", "other", "defect", "wrong_item")
ISSUE_FAMILIES = ("logistics", "product", "account_admin", "access", "usage")
ISSUE_FAMILY = (0, 1, 2, 3, 4, 0, 4, 1, 0)
ISSUE_DEPARTMENT = (0, 0, 1, 2, 2, 0, 0, 2, 0)
PROBLEM_KINDS = ("late_delivery", "damage", "defect", "wrong_item", "billing_error")
PROBLEM_SHARES = (3_400, 2_000, 2_200, 1_400, 1_000)
PROBLEM_ISSUE = (0, 1, 7, 8, 2)
DETECTED_BY = ("system", "customer", "audit")
RESOLUTIONS = ("solved", "workaround", "no_solution", "no_reply_needed")
OUTCOMES = ("answered", "abandoned_queue")
REFUND_REASONS = ("defect", "late", "changed_mind", "goodwill")
RECOVERY_KINDS = ("credit", "refund", "redelivery", "goodwill", "apology")
OFFER_KINDS = ("upsell", "cross_sell", "save", "renewal")
DECLINED_REASONS = ("too expensive", "not needed", "will think about it")
SESSION_CHANNELS = ("web", "portal", "kb", "bot", "app")
SESSION_OUTCOMES = ("answered", "not_answered", "escalated", "abandoned", "unknown")
CHOICE_REASONS = ("preference", "avoid_agent", "out_of_hours", "queue_too_long")
QUESTIONS = ("csat_overall", "ces_effort", "nps_recommend", "acsi_overall", "acsi_expectation", "acsi_ideal")
METRICS = ("csat", "ces", "nps", "acsi", "acsi", "acsi")
SCALES = ((1, 5), (1, 7), (0, 10), (1, 10), (1, 10), (1, 10))
SUPPRESSED = ("asked within 30 days", "no consent")
GOOD_COMMENTS = (
    ("Schnell und freundlich, danke.", "Alles bestens", 'Sie sagten "morgen", und es war morgen da.'),
    ("Très bien, merci", "Réponse rapide et claire.", "On m'a dit \"demain\", et c'était vrai."),
    ("Tutto perfetto, grazie", "Risposta veloce e chiara.", 'Mi hanno detto "domani", ed era vero.'),
    ("Quick and friendly, thank you.", 'The agent said "it is on its way", and it was.', "Fine"),
    ("とても早くて助かりました。", "丁寧な対応でした", "問題なく解決しました。"),
    ("回复很快,谢谢。", "问题解决了", "服务很好"),
)
BAD_COMMENTS = (
    ("Dreimal angerufen, immer noch nichts.", "Niemand antwortet auf meine Mails.", 'Erst "sofort", dann nichts.'),
    ("J'attends toujours mon remboursement.", "Personne ne répond", 'Toujours "bientôt", jamais de réponse.'),
    ("Ancora nessuna risposta.", 'Sempre "domani", e nessuno chiama.', "Pessimo, mai più."),
    ("Had to call twice, and explain everything again.", 'Told "tomorrow", twice, and still no refund.', "-"),
    ("まだ返金されていません。", "何度も同じ説明をさせられました", "待ち時間が長すぎる"),
    ("还在等退款,没有人回答。", "打了两次电话", "很失望"),
)
COMMENTS = tuple(text for group in (GOOD_COMMENTS, BAD_COMMENTS) for texts in group for text in texts)
"""Position: 18 x (is it bad) + 3 x language + number."""
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
DEPARTMENT_SITE = (0, 0, 1)
TEAMS = ("support-phone", "support-chat", "billing-phone", "technical-phone")
TEAM_DEPARTMENT = (0, 0, 1, 2)
TEAM_CHANNEL = (PHONE, CHAT, PHONE, PHONE)
AGENT_STATES = ("talk", "hold", "wrap", "chat", "case_work", "available", "break", "training", "meeting", "absence")
SEPARATIONS = ("voluntary", "involuntary", "transfer", "end_of_contract")
MODULES = ("product basics", "clear writing", "fault finding", "difficult conversations")
MODULE_TOPICS = ("product_function", "business_process", "technical_diagnosis", "customer_centric", "other")
TRAINING_FORMATS = ("classroom", "e_learning", "role_play", "coaching", "shadowing")
TOOLS = ("ticket desk", "telephony", "knowledge base")
VENDORS = ("Lumen Cloud", "Nordtel", "Hallway Estates", "Brightpath Training")
LEGAL_ENTITY = "DEMO"
EVENTS = (
    *("created", "status_change", "assignment", "department_change", "public_comment", "reopened", "merged", "deleted"),
    *("history_viewed", "info_rerequested", "blocked", "unblocked", "qa_review"),
)
EVENT = {name: position for position, name in enumerate(EVENTS)}
ACTOR_ROLES = ("agent", "customer", "bot", "system")
BLOCKED_REASONS = ("waits for carrier", "waits for supplier", "waits for finance", "waits for development")
REVIEW_RESULTS = ("fail", "pass")
SCHEDULES, ZONES = ("north", "south"), ("Europe/Berlin", "America/New_York")
HOLIDAYS = ("New Year", "Labour Day", "German Unity Day", "Christmas", "Boxing Day", "Independence Day", "Thanksgiving")
CADENCES = ("1/4", "1.5/3.5", "1/4", "0.4/0.2/0.4/2", "2/4", "1/2", "1/4")
BENCHMARKED = ("csat_rate", "handled_rate", "repeat_purchase_rate", "complaint_rate")
INITIATIVES = ("Training in finding faults", "Longer hours in the north", "New search in the knowledge base")
TOUCH_KINDS = ("review", "visit", "call", "thank_you", "loyalty_gesture", "glitch")
TOUCH_STATES = ("planned", "done", "missed")
GLITCHES = ("billing_error", "wrong_contract", "missed_review", "wrong_contact")
AUDIENCES = ("customer", "analyst", "job_candidate")
STAFF_ITEMS = ("stress", "support", "culture", "tools", "recommend")
STAFF_KINDS = ("stress", "employer_support", "culture", "tools", "enps")
STAFF_ITEM_TEXTS = (
    *("My work leaves me exhausted.", "My employer helps when I need it.", "We learn from mistakes here.", "My tools let me work well."),
    "How likely are you to recommend us as a place to work?",
)
