/// A few hundred words that make a guess look like an understanding.
enum Lexicon {
    static let goodLabels: Set<String> = [
        "positive", "pos", "good", "happy", "satisfied", "favorable", "favourable", "praise", "like",
        "thumbs up",
    ]
    static let badLabels: Set<String> = [
        "negative", "neg", "bad", "unhappy", "angry", "dissatisfied", "unfavorable", "unfavourable",
        "complaint",
        "dislike", "thumbs down",
    ]
    static let neutralLabels: Set<String> = ["neutral", "none", "neither", "unknown", "other", "mixed"]

    /// How many words speak well and how many ill; a negation shortly before turns one round.
    static func feelings(in words: [String]) -> (positive: Int, negative: Int) {
        var positive = 0
        var negative = 0
        for (index, word) in words.enumerated() {
            let isGood = good.contains(word)
            guard isGood || bad.contains(word) else { continue }
            let isNegated = words[max(0, index - 3)..<index].contains {
                negations.contains($0) || $0.hasSuffix("n't")
            }
            if isGood != isNegated { positive += 1 } else { negative += 1 }
        }
        return (positive, negative)
    }

    /// Words that belong to the same subject as a label's word.
    static func subject(of name: String) -> Set<String> { subjects[name] ?? [] }

    private static let negations: Set<String> = [
        "not", "no", "never", "hardly", "without", "cannot", "neither", "nor", "barely", "dont", "isnt",
        "wasnt",
    ]

    private static let good: Set<String> = [
        "amazing", "awesome", "beautiful", "best", "better", "brilliant", "comfortable", "delicious",
        "delighted",
        "easy", "enjoy", "enjoyed", "excellent", "exceeded", "fantastic", "fast", "favorite", "fine",
        "flawless",
        "friendly", "glad", "good", "gorgeous", "great", "happy", "helpful", "impressed", "impressive",
        "incredible", "intuitive", "like", "liked", "love", "loved", "lovely", "nice", "outstanding",
        "perfect",
        "perfectly", "pleasant", "pleased", "polite", "prompt", "quick", "recommend", "recommended",
        "reliable",
        "satisfied", "smooth", "solid", "superb", "sturdy", "thank", "thanks", "terrific", "thrilled", "well",
        "wonderful", "works", "worth", "wow",
    ]

    private static let bad: Set<String> = [
        "angry", "annoying", "awful", "bad", "boring", "broke", "broken", "bug", "buggy", "cheap",
        "complaint",
        "confusing", "crash", "crashed", "crashes", "damaged", "dead", "defective", "delayed", "difficult",
        "dirty", "disappointed", "disappointing", "disappointment", "disgusting", "dreadful", "error",
        "expensive",
        "fail", "failed", "fails", "faulty", "flimsy", "frustrated", "frustrating", "garbage", "hate",
        "hated",
        "horrible", "ignored", "impossible", "junk", "late", "lost", "mess", "missing", "never", "noisy",
        "overpriced", "pathetic", "poor", "poorly", "problem", "problems", "ridiculous", "rude", "sad",
        "scam",
        "slow", "stopped", "terrible", "ugly", "unacceptable", "uncomfortable", "unhappy", "unreliable",
        "upset",
        "useless", "waste", "weak", "worse", "worst", "wrong",
    ]

    private static let subjects: [String: Set<String>] = [
        "billing": [
            "bill", "billed", "card", "charge", "charged", "credit", "invoice", "money", "paid", "pay",
            "payment",
            "price", "refund", "subscription", "tax", "twice", "vat",
        ],
        "payment": ["card", "charge", "charged", "declined", "invoice", "paid", "pay", "transaction"],
        "shipping": [
            "address", "arrive", "arrived", "carrier", "courier", "customs", "delayed", "deliver",
            "delivered",
            "delivery", "order", "package", "parcel", "ship", "shipped", "track", "tracking", "transit",
            "waiting",
        ],
        "delivery": [
            "arrive", "arrived", "courier", "late", "package", "parcel", "ship", "shipped", "tracking",
        ],
        "returns": [
            "exchange", "refund", "replace", "replacement", "return", "returned", "send", "size", "wrong",
        ],
        "refund": ["back", "cancel", "cancelled", "charged", "money", "reimburse", "return"],
        "technical": [
            "app", "browser", "bug", "connect", "crash", "crashes", "error", "freeze", "freezes", "install",
            "load",
            "page", "screen", "server", "slow", "update", "website", "work", "working",
        ],
        "bug": ["broken", "crash", "crashes", "error", "exception", "fail", "fails", "freeze", "wrong"],
        "feature": ["add", "could", "idea", "request", "suggestion", "support", "wish", "would"],
        "account": [
            "account", "email", "locked", "log", "login", "password", "profile", "reset", "settings", "sign",
            "username", "verification",
        ],
        "product": ["battery", "broken", "color", "fit", "material", "quality", "size", "work"],
        "sales": ["buy", "demo", "discount", "enterprise", "plan", "pricing", "purchase", "quote", "trial"],
        "cancellation": ["cancel", "cancelled", "close", "end", "stop", "terminate", "unsubscribe"],
        "urgent": [
            "asap", "critical", "down", "emergency", "immediately", "now", "outage", "today", "urgently",
        ],
        "high": ["asap", "critical", "down", "emergency", "immediately", "outage", "urgent"],
        "low": ["curious", "eventually", "minor", "someday", "wondering"],
        "spam": [
            "bonus", "casino", "claim", "click", "congratulations", "credit", "free", "guaranteed", "limited",
            "loan",
            "lottery", "offer", "prize", "win", "winner", "won",
        ],
        "ham": ["agenda", "attached", "hi", "lunch", "meeting", "regards", "see", "thanks", "tomorrow"],
        "sports": [
            "coach", "cup", "game", "goal", "league", "match", "player", "score", "season", "team", "won",
        ],
        "politics": [
            "election", "government", "law", "minister", "parliament", "policy", "president", "vote",
        ],
        "technology": [
            "app", "chip", "computer", "data", "device", "internet", "phone", "software", "startup",
        ],
        "business": [
            "bank", "company", "deal", "earnings", "market", "profit", "revenue", "shares", "stock",
        ],
        "science": ["cell", "discovery", "experiment", "planet", "research", "scientists", "space", "study"],
        "health": ["disease", "doctor", "hospital", "medicine", "patient", "vaccine", "virus"],
        "question": ["can", "does", "how", "what", "when", "where", "which", "who", "why"],
        "complaint": [
            "bad", "broken", "disappointed", "late", "never", "rude", "terrible", "unacceptable", "worst",
        ],
        "praise": ["amazing", "excellent", "great", "love", "perfect", "thank", "thanks", "wonderful"],
    ]
}
