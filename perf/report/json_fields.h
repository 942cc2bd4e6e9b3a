// Taking the fields of JSON objects into structs, with the path to the first fault. For document_json.cc, which alone
// includes it: Boost.JSON stays in one translation unit.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controlplane/api/object_reader.h"
#include "perf/report/document.h"

namespace warmswap::report {

/// The fields of one object and where it stands. Everything in it is optional unless said otherwise: what is missing
/// leaves the target as it was.
class Reader {
 public:
  using Names = std::span<const std::string_view>;

  Reader(const boost::json::object& object, const std::string& path, std::string& error)
      : fields_(object, path, error), error_(error) {}
  ~Reader() { fields_.finish(); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void text(std::string_view name, std::string& target) { take_text(fields_.optional(name), name, target); }
  void required_text(std::string_view name, std::string& target) { take_text(fields_.required(name), name, target); }

  void flag(std::string_view name, bool& target) {
    target = fields_.boolean(fields_.optional(name), name).value_or(target);
  }

  /// One of the names; the enumerator is the name's place.
  template <typename Enum>
  void choice(std::string_view name, Names names, Enum& target) {
    if (const boost::json::value* value = fields_.optional(name))
      target = choice_of(*value, fields_.path_of(name), names, target);
  }
  template <typename Enum>
  void required_choice(std::string_view name, Names names, Enum& target) {
    if (const boost::json::value* value = fields_.required(name))
      target = choice_of(*value, fields_.path_of(name), names, target);
  }

  /// A list, each element by read(value, path) → Item.
  template <typename Item, typename Read>
  void list(std::string_view name, std::vector<Item>& target, Read read) {
    if (const boost::json::value* value = fields_.optional(name)) take_list(*value, name, target, read);
  }
  template <typename Item, typename Read>
  void required_list(std::string_view name, std::vector<Item>& target, Read read) {
    if (const boost::json::value* value = fields_.required(name)) take_list(*value, name, target, read);
  }
  /// A list of objects, each by read(Reader&) → Item.
  template <typename Item>
  void objects(std::string_view name, std::vector<Item>& target, Item (*read)(Reader&)) {
    list(name, target, [this, read](const boost::json::value& value, const std::string& path) -> Item {
      const boost::json::object* object = value.if_object();
      if (object == nullptr) return expected(path, "an object", value), Item{};
      Reader reader(*object, path, error_);
      return read(reader);
    });
  }
  template <typename Item>
  void object(std::string_view name, Item& target, Item (*read)(Reader&)) {
    const boost::json::value* value = fields_.optional(name);
    if (value == nullptr) return;
    const boost::json::object* object = value->if_object();
    if (object == nullptr) return fields_.expected(name, "an object", *value);
    Reader reader(*object, fields_.path_of(name), error_);
    target = read(reader);
  }

  void fault(std::string_view name, std::string_view sentence) { fields_.fault(name, sentence); }
  void required_number(std::string_view name, double& target) {
    if (const boost::json::value* value = fields_.required(name)) target = number(*value, fields_.path_of(name));
  }

  /// A number, or kMissing for null.
  double number(const boost::json::value& value, const std::string& path) {
    if (value.is_null()) return kMissing;
    if (value.is_number()) return value.to_number<double>();
    expected(path, "a number or null", value);
    return kMissing;
  }
  template <typename Enum>
  Enum choice_of(const boost::json::value& value, const std::string& path, Names names, Enum otherwise) {
    if (const auto* text = value.if_string()) {
      const auto found = std::find(names.begin(), names.end(), std::string_view(text->data(), text->size()));
      if (found != names.end()) return static_cast<Enum>(found - names.begin());
    }
    std::string choices = "one of";
    for (const std::string_view name : names) choices.append(name == names.front() ? " " : ", ").append(name);
    expected(path, choices, value);
    return otherwise;
  }
  std::string text_of(const boost::json::value& value, const std::string& path) {
    if (const auto* text = value.if_string()) return {text->data(), text->size()};
    expected(path, "a string", value);
    return {};
  }
  void expected(const std::string& path, std::string_view what, const boost::json::value& got) {
    if (error_.empty()) error_ = fmt::format("{}: expected {}, got {}", path, what, api::quote_value(got));
  }

 private:
  void take_text(const boost::json::value* value, std::string_view name, std::string& target) {
    if (auto found = fields_.text(value, name)) target = std::move(*found);
  }
  template <typename Item, typename Read>
  void take_list(const boost::json::value& value, std::string_view name, std::vector<Item>& target, Read& read) {
    const boost::json::array* items = value.if_array();
    if (items == nullptr) return fields_.expected(name, "a list", value);
    target.reserve(items->size());
    for (size_t i = 0; i < items->size() && error_.empty(); ++i) {
      target.push_back(read((*items)[i], fmt::format("{}[{}]", fields_.path_of(name), i)));
    }
  }

  api::ObjectReader fields_;
  std::string& error_;
};

}  // namespace warmswap::report
