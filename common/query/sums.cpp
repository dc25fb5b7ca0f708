#include "common/query/sums.h"

#include "common/core/check.h"
#include "common/query/words.h"

namespace synod {

StandaloneSum::StandaloneSum(NoisedSum&& sum) : values_(std::move(sum.values_)) {
  SYNOD_CHECK(sum.honest_shares_ == 1, "a share of the noise is not the whole noise");
}

Bytes StandaloneSum::Encode(WordBits bits) const {
  return EncodeWords(values_, bits);
}

}  // namespace synod
