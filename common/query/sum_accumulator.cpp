#include "common/query/sum_accumulator.h"

#include <utility>

#include "common/core/check.h"
#include "common/query/words.h"

namespace synod {

SumAccumulator::SumAccumulator(const Grid& grid, WordBits bits)
    : total_(grid.dimension()), gamma_(grid.gamma()), bits_(bits) {}

Status SumAccumulator::AddEncoded(ByteView words) {
  if (words.size() != total_.size() * WordBytes(bits_)) return BadInput("an answer has the wrong length");
  AddWords(words, bits_, total_);
  ++answers_;
  return {};
}

void SumAccumulator::Add(NoisedSum&& sum) {
  AddValues(sum.values_);
}
void SumAccumulator::Add(StandaloneSum&& sum) {
  AddValues(sum.values_);
}

void SumAccumulator::AddValues(std::span<const std::int64_t> values) {
  SYNOD_CHECK(values.size() == total_.size(), "an answer of another dimension");
  for (std::size_t i = 0; i < values.size(); ++i) total_[i] += static_cast<std::uint64_t>(values[i]);
  ++answers_;
}

Result<NoisySum> SumAccumulator::Decode(const Grid& grid, WordBits bits, ByteView words, std::uint32_t answers) {
  SumAccumulator total(grid, bits);
  SYNOD_RETURN_IF_ERROR(total.AddEncoded(words));
  total.answers_ = answers;
  return std::move(total).Finish();
}

NoisySum SumAccumulator::Open(const Grid& grid, OpenedSum&& sum) {
  SYNOD_CHECK(sum.dimension() == grid.dimension(), "a total of another dimension");
  std::vector<double> values(sum.dimension());
  DecodeWords(sum.words(), sum.bits(), grid.gamma(), values);
  const std::uint32_t answers = sum.answers();
  return {std::move(values), std::move(sum).words(), answers};
}

NoisySum SumAccumulator::Finish() && {
  std::vector<std::int64_t> centred(total_.size());
  std::vector<double> values(total_.size());
  for (std::size_t i = 0; i < total_.size(); ++i) {
    centred[i] = Centred(total_[i], bits_);
    values[i] = static_cast<double>(centred[i]) / gamma_;
  }
  return {std::move(values), EncodeWords(centred, bits_), answers_};
}

}  // namespace synod
