package import Jobs

/// What is read to say what jobs wait for and when they will run.
package protocol WaitReads: GateReads {
    /// Nil if there is no such job.
    func waitingJob(_ id: Int64) throws -> WaitingJob?
    /// The provider batch that an attempt is out with.
    func providerBatch(of attempt: AttemptKey) throws -> ProviderBatchStanding?
    func budgetBook() throws -> BudgetBook

    // MARK: Lanes

    /// The lanes that have queued jobs, those with most of them first.
    func waitingLanes(limit: Int) throws -> [WaitingLane]
    /// The ready job that goes next.
    func head(of lane: Int64) throws -> Int64?
    /// Counted up to the limit.
    func readyJobs(of lane: Int64, limit: Int) throws -> Int
    /// Ready jobs of its lane that go before a job, counted up to the limit.
    func readyJobs(ahead job: WaitingJob, limit: Int) throws -> Int
    /// The ranks of the first and of the last ready job.
    func ranks(of lane: Int64) throws -> (first: Int64, last: Int64)?
    /// By the tally: held ones too.
    func queuedJobs(of lane: Int64) throws -> Int

    // MARK: Workers

    /// Of all workers that live, but for the serving processes.
    func slots() throws -> Int
    func busySlots() throws -> Int
    /// The workers that live, as to whether they call a service.
    func callers(of service: ServiceKey) throws -> [ServiceCaller]
    /// The workers that live and have a key of a service; of the jobs of an interactive lane only its owner counts.
    ///
    /// May be empty if no key of any service is refused.
    func keyHolders(of service: ServiceKey, owner: Int64?) throws -> [KeyHolder]
}
