import JSON
import Jobs

/// What an answer must be, as callers say it.
extension JobParser {
    /// A job's own check; `false` refuses its queue's.
    func check(of draft: JobDraft, request: JSON, named name: String) throws(Problem) -> NewCheck? {
        guard let value = draft.check, value.bool != false else { return nil }
        let (check, new) = try NewCheck.read(value, named: name + "check", settings)
        guard check.toolInput else { return new }
        do {
            try Check.checkTools(of: request, named: name + "request")
        } catch {
            throw Problem(error)
        }
        return new
    }
}

extension NewCheck {
    /// Reads a check, and finds the routes of its escalations.
    static func read(
        _ value: JSON, named name: String, _ settings: APISettings
    ) throws(Problem) -> (Check, NewCheck) {
        let check: Check
        do {
            check = try Check(value, named: name)
        } catch {
            throw Problem(error)
        }
        var routes: [RouteKey] = []
        for model in check.models {
            routes.append(try settings.routes.route(for: model, field: name + ".on_fail"))
        }
        return (check, NewCheck(rules: Array(value.raw), routes: routes))
    }
}

extension Problem {
    init(_ error: CheckError) {
        let isUnknown = error.message.hasPrefix("is not a field")
        self.init(
            isUnknown ? .unknownField : .invalidField, "“\(error.field.prefix(200))” \(error.message)",
            field: String(error.field.prefix(200)))
    }
}

extension JSONWriter {
    /// Nothing if the job has no check.
    mutating func check(of job: Job) {
        guard let check = job.check else { return }
        field("check", raw: check.rules)
        optional("check_result", check.step == nil ? nil : check) { writer, check in
            writer.field("passed", check.passed)
            writer.field("step", check.step)
            writer.field("reason", check.reason)
            writer.field("steps_used", check.used)
            writer.optional("review", check.review) { writer, review in
                writer.field("action", review.action)
                writer.field("note", review.note)
                writer.time("at", review.at)
            }
        }
    }
}
