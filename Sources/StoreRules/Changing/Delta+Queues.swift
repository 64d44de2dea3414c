package import Jobs

// What an operator changes of a queue.
extension Delta {
    /// `check` is the patch's, with the numbers of its routes.
    package mutating func update(queue: Int64, _ patch: QueuePatch, check: QueueCheck??) {
        if let paused = patch.paused {
            add(.queue(queue, .paused(paused)))
            // An operator who resumes a queue has put right what its jobs were held back for.
            if !paused { add(.liftStreaks(queue: queue, route: nil)) }
        }
        if let concurrency = patch.concurrency { add(.queue(queue, .concurrency(concurrency))) }
        if let weight = patch.weight { add(.queue(queue, .weight(weight))) }
        if let check { add(.queue(queue, .check(check))) }
        if let requirement = patch.requirement { add(.queue(queue, .requirement(requirement))) }
    }
}
