import Jobs

/// Looks up an environment variable.
typealias Environment = @Sendable (String) -> String?

/// A command as it was called: its flags, its arguments, and the environment behind them.
struct Invocation: Sendable {
    let command: Command
    fileprivate var values: [String: [String]]
    let arguments: [String]
    let wantsHelp: Bool
    private(set) var environment: Environment

    init(
        command: Command, values: [String: [String]], arguments: [String], wantsHelp: Bool,
        environment: @escaping Environment
    ) {
        self.command = command
        self.values = values
        self.arguments = arguments
        self.wantsHelp = wantsHelp
        self.environment = environment
    }
}

extension Invocation {
    /// The command as a shell takes it again.
    var shellLine: String {
        var parts = ["renga", command.name] + arguments.map(Shell.quoted)
        for flag in command.allFlags {
            for value in values[flag.name] ?? [] {
                parts.append(
                    flag.placeholder == nil ? "--\(flag.name)" : "--\(flag.name) \(Shell.quoted(value))")
            }
        }
        return parts.joined(separator: " ")
    }
}

/// Flags. To ask for one that the command does not declare is a programmer's error.
extension Invocation {
    func has(_ flag: String) -> Bool { !all(flag).isEmpty }

    func all(_ flag: String) -> [String] {
        precondition(command.allFlags.contains { $0.name == flag }, "\(command.name) declares no --\(flag)")
        return values[flag] ?? []
    }

    subscript(flag: String) -> String? { all(flag).first }

    func integer(_ flag: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = self[flag] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError(
                "--\(flag) is “\(text)”; expected a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    func duration(_ flag: String) throws -> Milliseconds? {
        guard let text = self[flag] else { return nil }
        guard let duration = DurationText.parse(text) else {
            throw UsageError("--\(flag) is “\(text)”; expected \(DurationText.expectation)")
        }
        return duration
    }
}

/// Settings: the flag counts, then the environment, then the default. An empty variable counts as unset.
extension Invocation {
    func value<Value>(of setting: Setting<Value>) throws -> Value {
        guard let value = try optional(setting) else {
            preconditionFailure("\(setting.name) has no default: ask for it as optional")
        }
        return value
    }

    func optional<Value>(_ setting: Setting<Value>) throws -> Value? {
        guard let text = given(setting) ?? setting.standard else { return nil }
        guard let value = setting.parse(text) else {
            throw UsageError("\(setting.name) is “\(text)”; expected \(setting.expectation)")
        }
        return value
    }

    /// The text of a setting, from the flag or the environment; nil if only the default is left.
    func given(_ setting: any SettingDeclaration) -> String? {
        self[setting.flag.name] ?? environment(setting.name).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The same command with other settings; nil is an unset one.
    ///
    /// Flags of these settings no longer count.
    func with(settings: [String: String?]) -> Invocation {
        var other = self
        for declaration in command.settings where settings.keys.contains(declaration.name) {
            other.values[declaration.flag.name] = nil
        }
        let environment = environment
        other.environment = { name in settings[name] ?? environment(name) }
        return other
    }

    /// Whether a setting came by its flag.
    func isFlagged(_ setting: any SettingDeclaration) -> Bool { has(setting.flag.name) }
}
