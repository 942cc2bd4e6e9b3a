// Bricks of the JSON answers, for the renderers in render.cc and render_state.cc.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/api/text.h"

namespace warmswap::api::json_values {

namespace json = boost::json;

inline json::value text(std::string_view raw) {
  return json::value(valid_utf8(raw));
}

template <typename T>
json::value or_null(const std::optional<T>& value) {
  if (!value) return nullptr;
  return json::value(*value);
}
inline json::value or_null(const std::optional<std::string>& value) {
  return value ? text(*value) : json::value(nullptr);
}
inline json::value or_null(const std::optional<std::chrono::microseconds>& value) {
  return value ? json::value(value->count()) : json::value(nullptr);
}
inline json::value or_null(const std::optional<contract::Be32>& value) {
  return value ? json::value(format_address(*value)) : json::value(nullptr);
}

template <typename Item>
json::array list(const std::vector<Item>& items, json::value (*render)(const Item&)) {
  json::array result;
  result.reserve(items.size());
  for (const Item& item : items) result.push_back(render(item));
  return result;
}

template <typename Item>
std::string wrapped(std::string_view name, const std::vector<Item>& items, json::value (*render)(const Item&)) {
  return json::serialize(json::object{{name, list(items, render)}});
}

inline json::value sentence(const std::string& raw) {
  return text(raw);
}

}  // namespace warmswap::api::json_values
