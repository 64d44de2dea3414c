package import Jobs

/// What claims and explanations alike read of lanes and of what their gates go by.
package protocol GateReads {
    /// The lanes that have ready jobs, of queues that are not paused.
    func readyLanes() throws -> [ReadyLane]
    func queue(_ id: Int64) throws -> QueueState?
    func route(_ id: Int64) throws -> RouteState?
    /// Nil if no job ever had it.
    func route(_ key: RouteKey) throws -> RouteState?
}
