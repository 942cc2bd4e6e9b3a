// JSON text to a value, with everything refused that two readers could understand differently.
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "dataplane/contract/result.h"

namespace warmswap::api {

/// RFC 8259 without leniency: valid UTF-8, nothing after the value, at most 16 levels, and no object with the same key
/// twice (section 4 leaves their meaning open). The error names the byte or the key.
contract::Result<boost::json::value> parse_strict(std::string_view text);

}  // namespace warmswap::api
