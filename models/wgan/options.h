// Hyper-parameters of the wgan family: the [model] section of a run specification.
//
// A Wasserstein GAN (Arjovsky, Chintala, Bottou 2017) whose critic alone meets records, through clipped and noised sums
// of its gradient (Xie, Lin, Wang, Wang, Zhou 2018). learning_rate, beta1, beta2 and the clip are the critic's;
// average_decay is of the generator's parameters, one update a critic step.
#pragma once

#include <cstdint>

#include "models/gradient_family/training_options.h"

namespace synod::wgan {

using gradient_family::RunSize;

struct Options : gradient_family::TrainingOptions {
  std::uint32_t critic_hidden = 64;
  std::uint32_t critic_layers = 1;  // hidden ones
  std::uint32_t latent = 32;        // normal numbers that a row is made of
  std::uint32_t generator_hidden = 128;
  std::uint32_t generator_layers = 2;  // hidden ones
  std::uint32_t generator_steps = 4;   // updates of the generator for each of the critic
  std::uint32_t generator_rows = 512;  // rows of one such update
  std::uint32_t calibration_rounds = 20;
  double clamp = 0.5;  // every parameter of the critic stays within +-clamp
  // Share of the critic's last layer that is forgotten each step. Without it the two players circle around each other;
  // measured without noise: two-way distance 0.083 with 0.1, 0.090 with 0 (Adult, 90 steps).
  double critic_decay = 0.1;
  double generator_learning_rate = 0.0005;
  double one_way_weight = 1.0;  // of the penalty that holds the generator's columns to their noisy shares

  // Reads the section; every key has a default that suits `size`. Finishes it: an unknown key is an error with its
  // line.
  static Result<Options> FromToml(const TomlSection& section, const RunSize& size);
  static Result<Options> FromJson(const Json& json);
  Json ToJson() const;
};

}  // namespace synod::wgan
