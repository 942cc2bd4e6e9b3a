// Numbers for people: SI prefixes, and no more digits than carry meaning. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace warmswap::report {

/// A power of a thousand, and the letter for it.
struct Prefix {
  double factor = 1;
  std::string_view letter;
};

/// What an axis counts in. "ns", "us", "µs" and "ms" become seconds times a factor, so that they take prefixes as
/// seconds do; "%" takes none; other units take k, M, G and T only.
class Unit {
 public:
  explicit Unit(std::string_view name);

  /// The prefix with which |value| (in the unit as named) has one to three digits before the point; none for 0, and
  /// none from 1e15 on, where only an exponent helps.
  Prefix prefix_for(double value) const noexcept;
  /// `value` counted in prefixed units.
  double scaled(double value, const Prefix& prefix) const noexcept { return value * factor_ / prefix.factor; }
  /// "Mpps", "µs", "%", "k", "".
  std::string symbol(const Prefix& prefix) const { return std::string(prefix.letter) + base_; }

  /// "1.25 Mpps", "20k", "12 %", rounded to `digits` significant ones; "∞" and "–" for infinity and NaN.
  std::string format(double value, int digits = 4) const;

 private:
  double factor_ = 1;
  std::string base_;
};

/// Without exponent between 1e-4 and 1e15, without trailing zeros, with a real minus sign.
std::string format_number(double value, int digits);

/// With a fixed number of decimals.
std::string format_fixed(double value, int decimals);

}  // namespace warmswap::report
