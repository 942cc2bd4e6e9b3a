#include "controlplane/cli/answer.h"

#include <boost/json/serialize.hpp>
#include <type_traits>

namespace warmswap::cli {

namespace json = boost::json;

namespace {

const json::value& find(const json::object& object, std::string_view field) {
  static const json::value kNothing;
  const json::value* found = object.if_contains(field);
  return found == nullptr ? kNothing : *found;
}

template <typename Number>
Number convert(const json::value& value) {
  if (const auto* number = value.if_uint64()) return static_cast<Number>(*number);
  if (const auto* number = value.if_int64()) return static_cast<Number>(*number);
  if constexpr (std::is_floating_point_v<Number>) {
    if (const auto* number = value.if_double()) return *number;
  }
  return 0;
}

}  // namespace

std::string text_of(const json::object& object, std::string_view field) {
  const json::value& value = find(object, field);
  if (value.is_null()) return "-";
  if (const auto* text = value.if_string()) return text->empty() ? "-" : std::string(text->data(), text->size());
  return json::serialize(value);
}

uint64_t number_of(const json::object& object, std::string_view field) {
  return convert<uint64_t>(find(object, field));
}
int64_t signed_of(const json::object& object, std::string_view field) {
  return convert<int64_t>(find(object, field));
}
double fraction_of(const json::object& object, std::string_view field) {
  return convert<double>(find(object, field));
}

bool flag_of(const json::object& object, std::string_view field) {
  const bool* flag = find(object, field).if_bool();
  return flag != nullptr && *flag;
}

bool has(const json::object& object, std::string_view field) {
  return !find(object, field).is_null();
}

const json::object& object_of(const json::object& object, std::string_view field) {
  return as_object(find(object, field));
}

const json::array& list_of(const json::object& object, std::string_view field) {
  static const json::array kEmpty;
  const json::array* list = find(object, field).if_array();
  return list == nullptr ? kEmpty : *list;
}

const json::object& as_object(const json::value& value) {
  static const json::object kEmpty;
  const json::object* object = value.if_object();
  return object == nullptr ? kEmpty : *object;
}

}  // namespace warmswap::cli
