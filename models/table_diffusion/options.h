// Hyper-parameters of the table_diffusion family: the [model] section of a run specification.
//
// Three variants. `masked` (default): the levels of the diffusion are numbers of hidden columns, the denoiser predicts
// the hidden cells by a softmax over each column's tokens, given the visible ones (and the level, where a time
// embedding is asked for); sampling reveals columns one by one in random order (absorbing-state diffusion: Austin et
// al. 2021, "Structured denoising diffusion models in discrete state-spaces"). `published`: Gaussian noise on [numbers
// | one-hots], a network blind to the level that predicts the noise, 3 to 5 levels, one clip over all levels of a row
// (Truda 2023, "Generating tabular datasets under differential privacy"), with its preprocessing made private and its
// schedule, calibration and sampler mended. `denoiser`: the same rows, noise and network, but it predicts the clean row
// (the same paper), with its misplaced blocks mended.
#pragma once

#include <cstdint>

#include "models/gradient_family/training_options.h"

namespace synod::table_diffusion {

enum class Variant : std::uint8_t { kMasked, kPublished, kDenoiser };

using gradient_family::RunSize;

struct Options : gradient_family::TrainingOptions {
  Variant variant = Variant::kMasked;
  std::uint32_t levels_per_row = 4;  // noise levels of one row inside one clip; Gaussian noise: all of its levels
  std::uint32_t hidden = 128;
  // Masked only; even, 0 for none. The hidden columns already show the level: measured on Adult at epsilon 1, three
  // seeds, an embedding of 16 cost 0.001 AUROC and made rows easier to tell from real ones (0.726 against 0.693).
  std::uint32_t time_embedding = 0;
  std::uint32_t levels = 3;               // published and denoiser: levels of the Gaussian noise
  std::uint32_t calibration_rounds = 10;  // masked only: fits of the sampler to the noisy one-way counts

  // Whether rows get Gaussian noise, all of their levels in one clip, rather than hidden columns.
  bool gaussian() const { return variant != Variant::kMasked; }

  // Reads the section; every key has a default that suits `size`. Finishes it: an unknown key is an error with its
  // line.
  static Result<Options> FromToml(const TomlSection& section, const RunSize& size);
  static Result<Options> FromJson(const Json& json);
  Json ToJson() const;
};

}  // namespace synod::table_diffusion
