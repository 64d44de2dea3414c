import Jobs

extension WaitReasonResolver {
    /// What holds back the route of a lane.
    mutating func bottleneck(of lane: WaitingLane) throws -> Bottleneck? {
        guard let head = lane.head, let job = try reads.waitingJob(head),
            let route = try route(lane.route), let queue = try reads.queue(lane.queue), !queue.paused
        else { return nil }
        if let closed = try closedToMoreWorkers(job) { return closed }
        if try coverage(of: route.key.service) == .otherServices {
            return Bottleneck(detail: route.key.noWorkerDescription, moreWorkersHelp: false)
        }
        let backlog = try forecast.backlog(of: lane.id)
        if let limit = queue.concurrency, backlog.exceeds(cap: limit, running: queue.running) {
            return Bottleneck(
                detail: "jobs of queue \(queue.name) in flight, \(queue.running) of \(limit)",
                moreWorkersHelp: false)
        }
        let admission = try gates(of: job, queue).limits(job.call, on: route)
        return route.ledger.bottleneck(admission, backlog: backlog, now: now.moment)
    }

    /// What no slot opens: more calls at once spend no more than there is, and send no batch sooner.
    private mutating func closedToMoreWorkers(_ job: WaitingJob) throws -> Bottleneck? {
        guard let waiting = try gate(before: job),
            ![.worker, .rateLimit, .concurrency].contains(waiting.reason)
        else { return nil }
        let detail =
            waiting.reason == .batch ? "jobs wait for the next batch of their provider" : waiting.detail
        return Bottleneck(detail: detail, moreWorkersHelp: false)
    }
}
