/// The sum of a column of money, in SQL, which reads as the largest number if it is larger.
///
/// `sum` itself fails then, while an expression goes on as a floating-point number
/// (https://sqlite.org/lang_aggfunc.html#sumunc): so whole dollars and the rest are summed apart, and exactly.
func moneySum(_ column: String) -> String {
    "sum(\(column) / 1000000000) * 1000000000 + sum(\(column) % 1000000000)"
}
