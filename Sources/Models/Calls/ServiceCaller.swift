import HTTPClient
import Jobs

/// Where a wire format is spoken, and by whose credential.
protocol ModelService: Sendable {
    var key: ServiceKey { get }
    var apiKey: Secret { get }
}

/// What the callers of all wire formats share: the services that they know, and how a call is made there.
struct ServiceCaller<Service: ModelService>: Sendable {
    let services: [ServiceKey]
    let client: HTTPClient
    let settings: CallSettings
    private let known: [ServiceKey: Service]
    private let clock: any Clock

    init(services: [Service], client: HTTPClient, settings: CallSettings, clock: any Clock) {
        self.services = services.map(\.key)
        known = Dictionary(services.map { ($0.key, $0) }) { _, last in last }
        self.client = client
        self.settings = settings
        self.clock = clock
    }

    var fingerprints: [ServiceKey: String] {
        known.compactMapValues { $0.key.fingerprint(ofKey: $0.apiKey.reveal()) }
    }

    subscript(key: ServiceKey) -> Service? { known[key] }

    /// Makes the attempt's call as it is planned; what cannot be planned is not sent.
    func call<Format>(
        _ attempt: ClaimedAttempt, listener: (any AnswerListener)?,
        plan: (ClaimedAttempt, Service, CallSettings) throws -> CallPlan<Format>
    ) async -> Outcome {
        guard let service = known[attempt.route.service] else {
            return .unsendable("this worker has no credential for \(attempt.route.name)")
        }
        let planned: CallPlan<Format>
        do {
            planned = try plan(attempt, service, settings)
        } catch let error as Unmappable {
            return .unsendable("\(attempt.route.service.provider) cannot be asked this: \(error.message)")
        } catch {
            return .unsendable("the request is not JSON: \(error)")
        }
        return await client.call(
            planned.request, streams: planned.streams, in: planned.format, clock: clock,
            listener: listener, secret: service.apiKey)
    }
}
