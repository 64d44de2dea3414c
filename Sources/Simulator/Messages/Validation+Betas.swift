import JSON

/// Members of the beta API that say who pays, and what lives at the provider.
extension Validation {
    /// Whether the answer shall be a summary of the conversation.
    static func isCompaction(_ body: JSON) throws(APIError) -> Bool {
        guard let compaction = body["compaction"], !compaction.isNull else { return false }
        guard compaction["type"]?.string == "summarize" else {
            throw .invalid("compaction: Input tag is not 'summarize'")
        }
        guard body["context_management"].map(\.isNull) ?? true else {
            throw .invalid("compaction: cannot be combined with context_management")
        }
        return true
    }

    static func thread(_ body: JSON) throws(APIError) -> MessagesCall.Thread? {
        guard let thread = body["thread"], !thread.isNull else { return nil }
        switch thread["type"]?.string {
        case "create": return .create
        case "continue":
            guard let id = thread["previous_message_id"]?.string else {
                throw .invalid("thread.continue.previous_message_id: Field required")
            }
            return .goOn(from: id)
        default: throw .invalid("thread: Input tag is not one of 'create', 'continue'")
        }
    }

    static func billing(_ body: JSON) throws(APIError) {
        if let policy = body["billing_policy"], !policy.isNull {
            let payer = policy["bill_to"]?.string ?? "self"
            guard policy["type"]?.string == "billing_policy", ["self", "user_profile"].contains(payer) else {
                throw .invalid(
                    "billing_policy: expected type 'billing_policy' and bill_to 'self' or 'user_profile'")
            }
            guard payer == "self" else {
                throw .invalid("billing_policy: no user profile has allowed this organization to bill it")
            }
        }
        guard let token = body["fallback_credit_token"], !token.isNull else { return }
        guard token.kind == .string || token.kind == .object else {
            throw .invalid("fallback_credit_token: Input should be a valid string or object")
        }
    }
}
