// The stages of the packet path over one burst, compiled once for each vector level: levels.h includes this file
// several times, with WARMSWAP_LEVEL as the namespace and WARMSWAP_TARGET as the attribute of every function. No
// include guard.

namespace warmswap::balance::WARMSWAP_LEVEL {

/// A burst's packets go through the stages together; each keeps its place in the columns until a stage gives it a
/// verdict, when the columns close up, so that later stages do not test again what earlier ones decided.
template <typename Access>
class Burst {
 public:
  using Item = typename Access::Item;
  using Buffer = typename Access::Buffer;

  WARMSWAP_TARGET Burst(const SnapshotView& snapshot, const Ledger& ledger) noexcept
      : snapshot_(snapshot),
        region_(ledger.region),
        vip_counters_(ledger.region.vips()),
        backend_counters_(ledger.region.backends(ledger.geometry)),
        ledger_(ledger) {}

  /// At most kBurstPackets. `done` is called after each stage: a benchmark's clock, or nothing.
  template <typename Observer>
  WARMSWAP_TARGET Outcome run(Item* items, size_t count, const Observer& done) noexcept {
    gather(items, count);
    done();
    derive();
    done();
    find_vips();
    done();
    hash_flows();
    done();
    find_seats();
    done();
    if (some_are_sampled_) [[unlikely]]
      look_at_handshakes();
    const Outcome outcome = encapsulate();
    done();
    region_.totals.passed_packets.add(passed_);
    return outcome;
  }

 private:
  WARMSWAP_TARGET void gather(Item* items, size_t count) noexcept {
    for (size_t i = 0; i < count; ++i) prefetch_to_write(Access::frame(Access::buffer(items[i])));
    uint64_t before_ip = 0;
    for (size_t i = 0; i < count; ++i) {
      Buffer& buffer = Access::buffer(items[i]);
      buffer_[i] = &buffer;
      uint8_t* frame = Access::frame(buffer);
      uint32_t offset = sizeof(contract::EthernetHeader);
      if (!is_plain(frame, Access::contiguous(buffer), Access::headroom(buffer))) [[unlikely]]
        offset = tagged_ip_offset(packet_of<Access>(buffer));
      uint8_t* ip = frame + offset;
      ip_[i] = ip;
      before_ip += offset;
      present_[i] = Access::length(buffer) - offset;
      if (offset == 0) [[unlikely]] {
        ip0_[i] = 0;  // not an IPv4 header: derive() finds it odd
        continue;
      }
      ip0_[i] = contract::load<uint64_t>(ip);
      ip8_[i] = contract::load<uint64_t>(ip + 8);
      ip16_[i] = contract::load<uint64_t>(ip + 16);
      ip24_[i] = contract::load<uint64_t>(ip + 24);
      ip32_[i] = ip[32];
    }
    region_.totals.received_packets.add(count);
    region_.totals.received_bytes.add(before_ip);  // and derive() the rest
    received_ = count;
    count_ = count;
  }

  WARMSWAP_TARGET void derive() noexcept {
    const size_t count = count_;
    const contract::HashKey key = snapshot_.hash_key();
    const uint32_t mask = snapshot_.vip_mask();
    uint64_t odd = snapshot_.empty();
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; ++i) {
      const Facts facts = facts_of({ip0_[i], ip8_[i], ip16_[i], ip24_[i], ip32_[i], present_[i]});
      bytes += present_[i];
      odd |= facts.odd;
      odd_[i] = facts.odd;
      first_[i] = facts.first;
      second_[i] = facts.second;
      length_[i] = facts.length;
      vip_word_[i] = facts.vip_word;
      varying_[i] = facts.ipip.varying;
      sum_[i] = facts.ipip.sum;
      rewritten_[i] = facts.ipip.rewritten;
      least_mtu_[i] = facts.ipip.least_mtu;
    }
    region_.totals.received_bytes.add(bytes);
    if (odd != 0) [[unlikely]]
      look_at_odd_ones();
    one_vip_ = is_for_one_vip();
    const size_t buckets = one_vip_ ? 1 : count_;
    for (size_t i = 0; i < buckets; ++i) vip_home_[i] = contract::vip_home(key, vip_word_[i], mask);
    for (size_t i = 0; i < buckets; ++i) prefetch(snapshot_.vip_bucket(static_cast<uint32_t>(vip_home_[i])));
  }

  WARMSWAP_TARGET bool is_for_one_vip() const noexcept {
    uint64_t differing = 0;
    for (size_t i = 0; i < count_; ++i) differing |= vip_word_[i] ^ vip_word_[0];
    return differing == 0 && count_ > 0;
  }

  WARMSWAP_TARGET void find_vips() noexcept {
    if (one_vip_) {
      if (find_one_vip()) return;
      for (size_t i = 1; i < count_; ++i) vip_home_[i] = vip_home_[0];
    }
    size_t kept = 0;
    for (size_t i = 0; i < count_; ++i) {
      const contract::VipEntry* entry = exact_vip(static_cast<uint32_t>(vip_home_[i]), vip_word_[i]);
      if (entry == nullptr) [[unlikely]] {
        entry = any_port_vip(i);
        if (entry == nullptr) continue;
      }
      if (kept != i) [[unlikely]]
        move(i, kept);
      const contract::PoolRecord* pool = snapshot_.pool(entry->pool);
      prefetch(pool);
      pool_[kept] = pool;
      contract::TrafficCounter* counter = vip_counters_ + entry->vip;
      prefetch_to_write(counter);
      vip_counter_[kept] = counter;
      ++kept;
    }
    count_ = kept;
  }

  /// One look-up and one count for the whole burst; false where there is no such vip.
  WARMSWAP_TARGET bool find_one_vip() noexcept {
    const contract::VipEntry* entry = exact_vip(static_cast<uint32_t>(vip_home_[0]), vip_word_[0]);
    if (entry == nullptr) return false;
    common_pool_ = snapshot_.pool(entry->pool);
    prefetch(common_pool_);
    uint64_t bytes = 0;
    for (size_t i = 0; i < count_; ++i) bytes += length_[i];
    vip_counters_[entry->vip].add(count_, bytes);
    return true;
  }

  WARMSWAP_TARGET void hash_flows() noexcept {
    const size_t count = count_;
    const contract::HashKey key = snapshot_.hash_key();
    const contract::Be32 entropy_mask = snapshot_.entropy_mask();
    const uint64_t sampled_below = snapshot_.sampled_below();
    uint64_t sampled = 0;  // its sign: of a difference that is negative
    for (size_t i = 0; i < count; ++i) {
      const uint64_t hash = contract::flow_hash(key, contract::FlowWords{first_[i], second_[i]});
      const uint64_t entropy = packet::ipip_entropy(hash, entropy_mask);
      sampled |= contract::flow_sample(hash) - sampled_below;
      hash_[i] = hash;
      entropy_[i] = entropy;
      sum_[i] += packet::ipip_entropy_sum(entropy);
    }
    some_are_sampled_ = sampled >> 63 != 0;
  }

  WARMSWAP_TARGET [[gnu::noinline]] void look_at_handshakes() noexcept {
    const size_t count = count_;
    const uint64_t sampled_below = snapshot_.sampled_below();
    uint64_t sampled = 0;
    for (size_t i = 0; i < count; ++i) sampled |= (contract::flow_sample(hash_[i]) - sampled_below) >> 63 << i;
    contract::HandshakeCounter* counters = region_.handshakes(ledger_.geometry);
    for (; sampled != 0; sampled &= sampled - 1) {
      const auto i = static_cast<size_t>(__builtin_ctzll(sampled));
      if (vip_word_[i] >> 48 != contract::kProtoTcp) continue;
      const contract::Seat& seat = *seat_[i];
      if (least_mtu_[i] > seat.mtu) continue;  // it is dropped
      const uint8_t* tcp = ip_[i] + static_cast<size_t>(ip_[i][0] & 0xf) * 4;
      ledger_.handshakes.observe({hash_[i], seat.backend, contract::load<uint32_t>(tcp + 4), tcp[13]}, cycles,
                                 counters);
    }
  }

  WARMSWAP_TARGET void find_seats() noexcept {
    if (common_pool_ == nullptr) {
      for (size_t i = 0; i < count_; ++i) {
        const contract::PoolRecord& pool = *pool_[i];
        take_seat(i, snapshot_.seats(pool), snapshot_.ring(pool)[contract::ring_slot(hash_[i], pool.ring_size)]);
      }
      return;
    }
    const contract::PoolRecord& pool = *common_pool_;
    uint64_t least_mtu = 0;
    for (size_t i = 0; i < count_; ++i) least_mtu = least_mtu < least_mtu_[i] ? least_mtu_[i] : least_mtu;
    all_fit_ = least_mtu <= pool.least_mtu;
    const uint16_t* ring = snapshot_.ring(pool);
    const contract::Seat* seats = snapshot_.seats(pool);
    const uint32_t ring_size = pool.ring_size;
    for (size_t i = 0; i < count_; ++i) slot_[i] = contract::ring_slot(hash_[i], ring_size);
    for (size_t i = 0; i < count_; ++i) take_seat(i, seats, ring[slot_[i]]);
  }

  /// Slot and seat in one stage: the slots of a burst are read side by side, because none waits for another.
  WARMSWAP_TARGET [[gnu::always_inline]] void take_seat(size_t i, const contract::Seat* seats, uint16_t seat) noexcept {
    const bool nobody = seat == contract::kNoSeat;
    if (nobody) [[unlikely]]
      all_fit_ = false;
    seat_[i] = nobody ? &kNobody : seats + seat;
    prefetch(seat_[i]);
  }

  WARMSWAP_TARGET Outcome encapsulate() noexcept {
    if (all_fit_) [[likely]]
      return encapsulate_all();
    return common_pool_ != nullptr ? encapsulate_each<false>() : encapsulate_each<true>();
  }

  /// Every packet fits its seat, and all leave by one port.
  WARMSWAP_TARGET Outcome encapsulate_all() noexcept {
    const uint8_t port = common_pool_->port;
    for (size_t i = 0; i < count_; ++i) send(i, *seat_[i]);
    if (Access::kMarkEach || count_ < received_) {
      for (size_t i = 0; i < count_; ++i) Access::mark(*buffer_[i], port);
    }
    return forwarded(count_, uint32_t{1} << port);
  }

  template <bool kCountVips>
  WARMSWAP_TARGET Outcome encapsulate_each() noexcept {
    size_t sent = 0;
    uint32_t ports = 0;
    for (size_t i = 0; i < count_; ++i) {
      const contract::Seat& seat = *seat_[i];
      if constexpr (kCountVips) vip_counter_[i]->add(1, length_[i]);
      if (least_mtu_[i] > seat.mtu) [[unlikely]] {
        drop(*buffer_[i], obstacle(seat, ip_[i], length_[i]));
        continue;
      }
      const uint8_t port = seat.port;
      send(i, seat);
      Access::mark(*buffer_[i], port);
      ports |= uint32_t{1} << port;
      ++sent;
    }
    return forwarded(sent, ports);
  }

  WARMSWAP_TARGET [[gnu::always_inline]] void send(size_t i, const contract::Seat& seat) noexcept {
    const uint16_t backend = seat.backend;
    packet::encapsulate_ipip(seat, {varying_[i], entropy_[i], sum_[i], rewritten_[i], least_mtu_[i]}, ip_[i]);
    Access::resize(*buffer_[i], ip_[i] - packet::kIpipFrontBytes,
                   static_cast<uint32_t>(length_[i]) + packet::kIpipFrontBytes);
    backend_counters_[backend].add(1, length_[i]);
  }

  Outcome forwarded(size_t packets, uint32_t ports) noexcept {
    region_.totals.forwarded_packets.add(packets);
    return {static_cast<uint32_t>(packets), ports};
  }

  WARMSWAP_TARGET const contract::VipEntry* exact_vip(uint32_t home, uint64_t word) const noexcept {
#if WARMSWAP_VECTOR_BITS >= 512
    const contract::VipBucket* bucket = snapshot_.vip_bucket(home);
    const __m512i line = _mm512_load_si512(bucket);
    const __m512i wanted = _mm512_set1_epi64(static_cast<long long>(word));
    const uint64_t matches = _mm512_mask_cmpeq_epi64_mask(0x55, line, wanted);
#elif WARMSWAP_VECTOR_BITS >= 256
    const contract::VipBucket* bucket = snapshot_.vip_bucket(home);
    const auto* halves = reinterpret_cast<const __m256i*>(bucket);
    const __m256i wanted = _mm256_set1_epi64x(static_cast<long long>(word));
    const __m256i low = _mm256_cmpeq_epi64(_mm256_load_si256(halves), wanted);
    const __m256i high = _mm256_cmpeq_epi64(_mm256_load_si256(halves + 1), wanted);
    const uint64_t matches = static_cast<uint64_t>(_mm256_movemask_pd(_mm256_castsi256_pd(low)) |
                                                   _mm256_movemask_pd(_mm256_castsi256_pd(high)) << 4) &
                             0x55;
#endif
#if WARMSWAP_VECTOR_BITS >= 256
    // Words at even places, each with its indices behind it. The word of an unused entry is no flow's: protocol 0.
    if (matches == 0) [[unlikely]]
      return contract::find_vip(snapshot_.vip_buckets(), snapshot_.vip_mask(), home, word);
    const auto* words = reinterpret_cast<const std::byte*>(bucket);
    return reinterpret_cast<const contract::VipEntry*>(words + 8 * static_cast<size_t>(__builtin_ctzll(matches)));
#else
    return contract::find_vip(snapshot_.vip_buckets(), snapshot_.vip_mask(), home, word);
#endif
  }

  /// Gives the packets that are no plain TCP or UDP their verdict, or, where they are flows after all (IP options,
  /// little headroom), their columns.
  [[gnu::noinline, gnu::cold]] void look_at_odd_ones() noexcept {
    size_t kept = 0;
    for (size_t i = 0; i < count_; ++i) {
      if ((odd_[i] != 0 || snapshot_.empty()) && !is_flow_after_all(i)) continue;
      if (kept != i) move(i, kept);
      ++kept;
    }
    count_ = kept;
  }

  bool is_flow_after_all(size_t i) noexcept {
    const Buffer& buffer = *buffer_[i];
    const packet::Packet packet = packet_of<Access>(buffer);
    const packet::ParsedFrame parsed = packet::parse(packet);
    if (parsed.kind == packet::FrameKind::malformed) {
      drop(*buffer_[i], parsed.reason);
      return false;
    }
    if (parsed.kind == packet::FrameKind::other || snapshot_.empty()) {
      pass(*buffer_[i]);
      return false;
    }
    if (parsed.kind == packet::FrameKind::address_only) {
      snapshot_.has_address(parsed.destination()) ? drop(*buffer_[i], parsed.reason) : pass(*buffer_[i]);
      return false;
    }
    uint8_t* ip = packet.frame + parsed.ip_offset;
    const contract::FlowKey flow = parsed.flow_key();
    const contract::FlowWords words = contract::flow_words(flow);
    const packet::IpipFields fields =
        packet::ipip_fields(contract::load<uint64_t>(ip), contract::load<uint64_t>(ip + 8), parsed.ip_length);
    ip_[i] = ip;
    first_[i] = words.first;
    second_[i] = words.second;
    length_[i] = parsed.ip_length;
    vip_word_[i] = contract::vip_word({flow.destination, flow.destination_port, flow.protocol});
    varying_[i] = fields.varying;
    sum_[i] = fields.sum;
    rewritten_[i] = fields.rewritten;
    least_mtu_[i] = packet::ipip_has_headroom(packet, parsed.ip_offset) ? fields.least_mtu : packet::kNoMtu;
    return true;
  }

  /// The any-port vip of a flow, or nullptr after a verdict.
  [[gnu::noinline, gnu::cold]] const contract::VipEntry* any_port_vip(size_t i) noexcept {
    const auto destination = contract::Be32::from_raw(static_cast<uint32_t>(vip_word_[i]));
    const auto protocol = static_cast<uint8_t>(vip_word_[i] >> 48);
    const contract::VipEntry* any_port = snapshot_.find_vip({destination, contract::Be16(), protocol});
    if (any_port == nullptr) {
      snapshot_.has_address(destination) ? drop(*buffer_[i], contract::DropReason::no_vip_port) : pass(*buffer_[i]);
    }
    return any_port;
  }

  /// What the stages from find_vips on read of a packet goes from place `from` to `to`.
  void move(size_t from, size_t to) noexcept {
    buffer_[to] = buffer_[from];
    ip_[to] = ip_[from];
    first_[to] = first_[from];
    second_[to] = second_[from];
    length_[to] = length_[from];
    vip_word_[to] = vip_word_[from];
    vip_home_[to] = vip_home_[from];
    varying_[to] = varying_[from];
    sum_[to] = sum_[from];
    rewritten_[to] = rewritten_[from];
    least_mtu_[to] = least_mtu_[from];
  }

  void drop(Buffer& buffer, contract::DropReason reason) noexcept {
    Access::decide(buffer, packet::Verdict::drop, reason);
    region_.drops[static_cast<size_t>(reason)].add(1);
  }

  void pass(Buffer& buffer) noexcept {
    const contract::DropReason unless_passed =
        snapshot_.empty() ? contract::DropReason::no_snapshot : contract::DropReason::no_exception_port;
    Access::decide(buffer, packet::Verdict::pass, unless_passed);
    ++passed_;
  }

  template <typename T>
  struct alignas(contract::kCacheLine) Column {
    T values[kBurstPackets];
    T& operator[](size_t i) noexcept { return values[i]; }
    const T& operator[](size_t i) const noexcept { return values[i]; }
  };

  const SnapshotView snapshot_;
  contract::WorkerRegion& region_;
  contract::TrafficCounter* vip_counters_;
  contract::TrafficCounter* backend_counters_;
  const Ledger& ledger_;
  uint64_t passed_ = 0;
  size_t received_ = 0;
  size_t count_ = 0;  // of those that no stage has given a verdict yet
  // A burst that is all for one vip has common_pool_ instead of pool_ and vip_counter_.
  bool one_vip_ = false;  // derive → find_vips
  const contract::PoolRecord* common_pool_ = nullptr;
  bool some_are_sampled_ = false;  // hash_flows → look_at_handshakes
  bool all_fit_ = false;           // find_seats → encapsulate
  Column<Buffer*> buffer_;
  Column<uint8_t*> ip_;
  // gather → derive: HeaderWords
  Column<uint64_t> ip0_, ip8_, ip16_, ip24_, ip32_, present_;
  // derive →: Facts
  Column<uint64_t> odd_, first_, second_, length_, vip_word_, vip_home_, varying_, sum_, rewritten_, least_mtu_;
  // find_vips → find_seats, encapsulate
  Column<const contract::PoolRecord*> pool_;
  Column<contract::TrafficCounter*> vip_counter_;
  // hash_flows → find_seats, encapsulate
  Column<uint64_t> hash_, entropy_, slot_;
  Column<const contract::Seat*> seat_;
};

template <typename Access>
WARMSWAP_TARGET Outcome process_burst(const SnapshotView& snapshot, std::span<typename Access::Item> items,
                                      const Ledger& ledger) noexcept {
  if constexpr (!Access::kMarkEach) return Burst<Access>(snapshot, ledger).run(items.data(), items.size(), [] {});
  Outcome whole;
  while (!items.empty()) {
    const size_t size = items.size() < kBurstPackets ? items.size() : kBurstPackets;
    const Outcome outcome = Burst<Access>(snapshot, ledger).run(items.data(), size, [] {});
    whole.forwarded += outcome.forwarded;
    whole.ports |= outcome.ports;
    items = {items.data() + size, items.size() - size};
  }
  return whole;
}

}  // namespace warmswap::balance::WARMSWAP_LEVEL
