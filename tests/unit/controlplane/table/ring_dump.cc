// Reads "ring_size" and then lines "name weight dead(0|1)" from standard input, writes the base ring and the re-dealt
// ring as JSON: how the Python oracle asks the C++ code.
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "controlplane/table/re_deal.h"

namespace {

void print(const char* key, const warmswap::table::Ring& ring) {
  std::printf("\"%s\":[", key);
  for (size_t slot = 0; slot < ring.size(); ++slot) std::printf(slot == 0 ? "%u" : ",%u", unsigned{ring[slot]});
  std::printf("]");
}

}  // namespace

int main() {
  uint32_t ring_size = 0;
  std::cin >> ring_size;
  std::vector<std::string> names;
  std::vector<uint32_t> weights;
  std::vector<warmswap::table::Opening> openings;
  std::string name;
  uint32_t weight = 0;
  for (bool is_dead = false; std::cin >> name >> weight >> is_dead;) {
    names.push_back(name);
    weights.push_back(weight);
    openings.push_back(is_dead ? warmswap::table::Opening::closed() : warmswap::table::Opening{});
  }
  std::vector<warmswap::table::RingSeat> seats;
  for (size_t i = 0; i < names.size(); ++i) seats.push_back({names[i], weights[i]});
  const warmswap::table::Ring base = warmswap::table::base_ring(ring_size, seats);
  std::printf("{");
  print("base", base);
  std::printf(",");
  print("re_dealt", warmswap::table::re_deal(base, seats, openings));
  std::printf("}\n");
}
