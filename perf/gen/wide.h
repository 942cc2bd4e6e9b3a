// The 128-bit integers of gcc and clang, which ISO C++ does not know.
#pragma once

namespace warmswap::gen {

__extension__ using Uint128 = unsigned __int128;

}  // namespace warmswap::gen
