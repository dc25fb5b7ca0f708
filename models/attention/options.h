// Hyper-parameters of the attention family: the [model] section of a run specification.
#pragma once

#include <cstdint>

#include "models/gradient_family/training_options.h"

namespace synod::attention {

// `together`: every column from the latent vector alone (Kingma and Welling 2014). `one_by_one`: from the latent vector
// and the columns that are revealed already, in random order.
enum class Decoding : std::uint8_t { kOneByOne, kTogether };

using gradient_family::RunSize;

struct Options : gradient_family::TrainingOptions {
  Decoding decoding = Decoding::kOneByOne;
  std::uint32_t draws_per_row = 2;  // latent noise and revealed columns are drawn this often inside one clip
  std::uint32_t width = 32;         // of a column's token; a multiple of `heads`
  std::uint32_t heads = 4;
  std::uint32_t hidden = 64;              // between attention and the decoders
  std::uint32_t latent = 4;               // 0: no latent vector and no encoder; one by one only
  double kl_weight = 1.0;                 // of the encoder's divergence from the prior; 1: a bound of the likelihood
  std::uint32_t calibration_rounds = 10;  // fits of the sampler to the noisy one-way counts

  // Reads the section; every key has a default that suits `size`. Finishes it: an unknown key is an error with its
  // line.
  static Result<Options> FromToml(const TomlSection& section, const RunSize& size);
  static Result<Options> FromJson(const Json& json);
  Json ToJson() const;
};

}  // namespace synod::attention
