import System

/// The front door: finds the command, runs it, and says what went wrong in words.
@main
struct Main {
    @MainActor static func main() async {
        let status = await run(
            Array(CommandLine.arguments.dropFirst()), environment: { environmentVariable($0) })
        exitProcess(status.rawValue)
    }

    /// What the shell is told.
    static func run(_ words: [String], environment: @escaping Environment) async -> ExitStatus {
        guard let first = words.first else {
            Console.note(Help.overview(Commands.all))
            return .wrongUsage
        }
        do {
            switch first {
            case "help", "--help", "-h": return try help(Array(words.dropFirst()))
            case "--version", "version":
                try Console.print("renga \(Version.current)")
                return .done
            default: return try await run(first, Array(words.dropFirst()), environment)
            }
        } catch is Console.Closed {
            return .done
        } catch let error as UsageError {
            Console.note(
                "renga: \(error)\nusage: renga COMMAND [ARGUMENTS]   (renga help lists the commands)")
            return .wrongUsage
        } catch {
            Console.note("renga: \(error)")
            return (error as? Failure)?.status ?? .failed
        }
    }

    private static func run(
        _ name: String, _ words: [String], _ environment: @escaping Environment
    ) async throws -> ExitStatus {
        let command = try Commands.named(name)
        do {
            let invocation = try Parser.parse(words, for: command, environment: environment)
            if invocation.wantsHelp {
                try Console.print(page: Help.page(command, flowing: isTerminal(1)))
                return .done
            }
            // A peer that hangs up must not end the process.
            _ = Signals.stream([])
            return try await command.run(invocation)
        } catch let error as UsageError {
            Console.note("renga \(name): \(error)\n\(Help.usageLine(command))")
            return .wrongUsage
        }
    }

    private static func help(_ words: [String]) throws -> ExitStatus {
        guard let name = words.first else {
            try Console.print(page: Help.overview(Commands.all, flowing: isTerminal(1)))
            return .done
        }
        try Console.print(page: Help.page(try Commands.named(name), flowing: isTerminal(1)))
        return .done
    }
}
