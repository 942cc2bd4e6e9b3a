// Which sequence numbers of a stream have arrived: finds duplicates among the last kWindow. One thread;
// allocation-free after construction.
#pragma once

#include <cstdint>
#include <vector>

namespace warmswap::gen {

class SequenceWindow {
 public:
  enum class Outcome : uint8_t { fresh, duplicate, too_old };

  /// 2^20 packets: a tenth of a second at 10 million a second; 128 KiB.
  static constexpr uint32_t kWindow = 1u << 20;

  SequenceWindow() : seen_(kWindow / 64, 0) {}

  /// `too_old`: more than kWindow behind the highest; whether it was there before is no longer known. Numbers wrap
  /// modulo 2^32.
  Outcome arrive(uint32_t sequence) noexcept {
    const auto ahead = static_cast<int32_t>(sequence - end_);
    if (ahead >= 0) {
      open_until(sequence, static_cast<uint32_t>(ahead) + 1);
    } else if (static_cast<uint32_t>(-ahead) > kWindow) {
      return Outcome::too_old;
    }
    uint64_t& word = seen_[sequence % kWindow / 64];
    const uint64_t bit = uint64_t{1} << (sequence % 64);
    if ((word & bit) != 0) return Outcome::duplicate;
    word |= bit;
    return Outcome::fresh;
  }

 private:
  /// Makes `sequence` the highest number, forgetting the `count` ones that leave the window.
  void open_until(uint32_t sequence, uint32_t count) noexcept {
    if (count >= kWindow) {
      for (uint64_t& word : seen_) word = 0;
    } else {
      for (uint32_t number = end_; number != sequence + 1; ++number) {
        seen_[number % kWindow / 64] &= ~(uint64_t{1} << (number % 64));
      }
    }
    end_ = sequence + 1;
  }

  std::vector<uint64_t> seen_;
  uint32_t end_ = 0;  // one above the highest number so far
};

}  // namespace warmswap::gen
