// Reads the control plane's JSON leniently: a field that is missing, null or of another type reads as empty, so that a
// client older or newer than the control plane still shows what it knows.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace warmswap::cli {

/// A string as it is, a number in decimal, "-" for nothing.
std::string text_of(const boost::json::object& object, std::string_view field);
uint64_t number_of(const boost::json::object& object, std::string_view field);
int64_t signed_of(const boost::json::object& object, std::string_view field);
double fraction_of(const boost::json::object& object, std::string_view field);
bool flag_of(const boost::json::object& object, std::string_view field);
/// False for a field that is missing or null.
bool has(const boost::json::object& object, std::string_view field);
const boost::json::object& object_of(const boost::json::object& object, std::string_view field);
const boost::json::array& list_of(const boost::json::object& object, std::string_view field);
/// An element of a list.
const boost::json::object& as_object(const boost::json::value& value);

}  // namespace warmswap::cli
