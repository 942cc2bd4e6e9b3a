// Parses an answer in a test, failing it when the answer is not JSON.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string>

namespace warmswap::api {

inline boost::json::value read_json(const std::string& text) {
  boost::json::error_code fault;
  boost::json::value value = boost::json::parse(text, fault);
  EXPECT_FALSE(fault) << fault.message() << " in " << text;
  return value;
}

}  // namespace warmswap::api
