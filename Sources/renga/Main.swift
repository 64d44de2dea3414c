import System

/// The entry point: finds the command, runs it, and prints what went wrong.
@main
struct Main {
    @MainActor static func main() async {
        let status = await run(
            Array(CommandLine.arguments.dropFirst()), environment: { environmentVariable($0) })
        exitProcess(status.rawValue)
    }

    private static var help: Help { Help(columns: min(80, terminalWidth(1) ?? 80)) }

    /// The exit status for the shell.
    static func run(_ arguments: [String], environment: @escaping Environment) async -> ExitStatus {
        guard let first = arguments.first else {
            Console.note(help.overview(Commands.all))
            return .wrongUsage
        }
        do {
            switch first {
            case "help", "--help", "-h": return try showHelp(Array(arguments.dropFirst()))
            case "--version", "version":
                try Console.print("renga \(Version.current)")
                return .done
            default: return try await run(first, Array(arguments.dropFirst()), environment)
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
        _ name: String, _ arguments: [String], _ environment: @escaping Environment
    ) async throws -> ExitStatus {
        let command = try Commands.named(name)
        do {
            let invocation = try Parser.parse(arguments, for: command, environment: environment)
            if invocation.wantsHelp {
                try Console.print(help.page(command))
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

    private static func showHelp(_ arguments: [String]) throws -> ExitStatus {
        guard let name = arguments.first else {
            try Console.print(help.overview(Commands.all))
            return .done
        }
        try Console.print(help.page(try Commands.named(name)))
        return .done
    }
}
