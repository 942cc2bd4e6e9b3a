#include "controlplane/api/object_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "controlplane/api/text.h"

namespace warmswap::api {

namespace json = boost::json;

namespace {
constexpr size_t kQuotedBytes = 48;
}

std::string quote_value(const json::value& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return fmt::format("a list of {}", value.get_array().size());
  if (const auto* text = value.if_string()) {
    return json::serialize(json::value(shorten({text->data(), text->size()}, kQuotedBytes)));
  }
  return json::serialize(value);
}

const json::value* ObjectReader::optional(std::string_view name) {
  known_.push_back(name);
  return object_.if_contains(name);
}

const json::value* ObjectReader::required(std::string_view name) {
  const json::value* value = optional(name);
  if (value == nullptr) fault(name, "is missing");
  return value;
}

std::optional<std::string> ObjectReader::text(const json::value* value, std::string_view name) {
  if (value == nullptr) return std::nullopt;
  if (const auto* found = value->if_string()) return std::string(found->data(), found->size());
  expected(name, "a string", *value);
  return std::nullopt;
}

std::optional<uint64_t> ObjectReader::integer(const json::value* value, std::string_view name, uint64_t min,
                                              uint64_t max) {
  if (value == nullptr) return std::nullopt;
  std::optional<uint64_t> found;
  if (const auto* number = value->if_uint64()) found = *number;
  if (const auto* number = value->if_int64(); number != nullptr && *number >= 0) found = static_cast<uint64_t>(*number);
  if (found && *found >= min && *found <= max) return found;
  expected(name, fmt::format("an integer from {} to {}", min, max), *value);
  return std::nullopt;
}

std::optional<bool> ObjectReader::boolean(const json::value* value, std::string_view name) {
  if (value == nullptr) return std::nullopt;
  if (const auto* found = value->if_bool()) return *found;
  expected(name, "true or false", *value);
  return std::nullopt;
}

void ObjectReader::expected(std::string_view name, std::string_view what, const json::value& got) {
  fault(name, fmt::format("expected {}, got {}", what, quote_value(got)));
}

void ObjectReader::fault(std::string_view name, std::string_view sentence) {
  if (error_.empty()) error_ = fmt::format("{}: {}", path_of(name), sentence);
}

void ObjectReader::finish() {
  for (const auto& [key, value] : object_) {
    const std::string_view name(key.data(), key.size());
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    std::string sentence = "unknown field " + quote_value(json::value(key)) + ", expected one of:";
    for (const std::string_view known : known_) sentence.append(known == known_.front() ? " " : ", ").append(known);
    if (error_.empty()) error_ = path_.empty() ? sentence : path_ + ": " + sentence;
    return;
  }
}

std::string ObjectReader::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

}  // namespace warmswap::api
