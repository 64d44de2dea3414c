import Foundation

/// What a file offers to other modules says what its signature cannot.
///
/// Held for what stands at the top level of a file. Members may go without: there a comment is asked for where units,
/// limits or errors need one, never to restate a name, and only a reader can judge that.
let documented = Rule("What a file offers to other modules is documented") { file in
    file.code.indices.compactMap { index in
        guard let name = packageDeclaration(file.code[index]), !isDocumented(file, declaration: index) else {
            return nil
        }
        return Offence(
            path: file.path, line: index + 1,
            advice:
                "`\(name)` is seen by other modules: say above it, with ///, what its signature cannot say")
    }
}

private func packageDeclaration(_ code: String) -> Substring? {
    guard code.contains("package ") else { return nil }
    let topLevel =
        #/^(?:@\S+\s+)*package\s+(?:(?:final|indirect|nonisolated)\s+)*(?:struct|class|enum|actor|protocol|typealias|func|let|var)\s+(\w+)/#
    return code.firstMatch(of: topLevel)?.1
}

/// Attributes and conditions may stand between a declaration and its comment.
private func isDocumented(_ file: SourceFile, declaration: Int) -> Bool {
    var line = declaration - 1
    while line >= 0 {
        let text = file.lines[line].trimmingCharacters(in: .whitespaces)
        guard text.hasPrefix("@") || text.hasPrefix("#if") || text.hasPrefix("// swift-format-ignore") else {
            return text.hasPrefix("///") || text.hasSuffix("*/")
        }
        line -= 1
    }
    return false
}
