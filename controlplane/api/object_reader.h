// Reads one JSON object strictly: every field taken is checked for its type, and what is left over at the end is
// refused by name. The first fault is kept in the shared `error` and later ones are ignored, so a reader runs straight
// through and asks once at the end.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace warmswap::api {

/// How a value met is quoted in an error sentence: short, and never a whole document.
std::string quote_value(const boost::json::value& value);

class ObjectReader {
 public:
  /// `object` and `error` must outlive the reader. `path` stands before each field's name in sentences: "changes[2]".
  ObjectReader(const boost::json::object& object, std::string path, std::string& error)
      : object_(object), path_(std::move(path)), error_(error) {}

  const boost::json::value* optional(std::string_view name);
  /// As optional(), but a missing field is a fault.
  const boost::json::value* required(std::string_view name);

  std::optional<std::string> text(const boost::json::value* value, std::string_view name);
  std::optional<uint64_t> integer(const boost::json::value* value, std::string_view name, uint64_t min, uint64_t max);
  std::optional<bool> boolean(const boost::json::value* value, std::string_view name);

  /// Records "path.name: expected WHAT, got VALUE".
  void expected(std::string_view name, std::string_view what, const boost::json::value& got);
  /// Records "path.name: SENTENCE".
  void fault(std::string_view name, std::string_view sentence);
  /// Faults when the object holds a field nobody asked for.
  void finish();

  std::string path_of(std::string_view name) const;
  std::string& error() noexcept { return error_; }

 private:
  const boost::json::object& object_;
  std::string path_;
  std::string& error_;
  std::vector<std::string_view> known_;
};

}  // namespace warmswap::api
