import JSON
package import Jobs

/// A job's error as it is in its row: a small JSON object.
package enum ErrorText {
    package static func write(_ error: JobError) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("type", error.type)
            writer.field("message", error.message)
            writer.field("status", error.status)
            writer.field("request_id", error.requestID)
            writer.field("retryable", error.retryable)
        }
        return writer.bytes
    }

    package static func read(_ bytes: [UInt8]) -> JobError? {
        guard let json = try? JSON.parse(bytes), let type = json["type"]?.string else { return nil }
        return JobError(
            type: type, message: json["message"]?.string ?? "", status: json["status"]?.int,
            requestID: json["request_id"]?.string, retryable: json["retryable"]?.bool ?? false)
    }
}
