// The coordinator's one accumulator of a query: answers are added modulo 2^32 or 2^64 as they come, whatever their
// number, and decoded once. The only maker of NoisySum.
#pragma once

#include <cstdint>
#include <span>

#include "common/core/result.h"
#include "common/query/grid.h"
#include "common/query/opened_sum.h"
#include "common/query/sums.h"

namespace synod {

class SumAccumulator {
 public:
  SumAccumulator(const Grid& grid, WordBits bits);

  // An encoded answer from outside; a wrong length is BadInput and changes nothing.
  Status AddEncoded(ByteView words);
  // The answer of a site in the same process (local simulation). Its dimension is our own duty.
  void Add(NoisedSum&& sum);
  void Add(StandaloneSum&& sum);

  std::uint32_t answers() const { return answers_; }
  NoisySum Finish() &&;

  // A total that was stored (NoisySum::words), as it was: the values are equal bit for bit. BadInput on a wrong length.
  static Result<NoisySum> Decode(const Grid& grid, WordBits bits, ByteView words, std::uint32_t answers);
  // The total of a secure aggregation. Its dimension is our own duty.
  static NoisySum Open(const Grid& grid, OpenedSum&& sum);

 private:
  void AddValues(std::span<const std::int64_t> values);

  std::vector<std::uint64_t> total_;
  double gamma_;
  WordBits bits_;
  std::uint32_t answers_ = 0;
};

}  // namespace synod
