// Every family and variant that computes gradients, small: the tests of this folder hold for each of them.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace synod::testing {

struct FamilySetting {
  const char* name;
  const char* family;
  const char* model;  // lines of [model]
  bool subjects = false;
  bool draws = true;    // levels, noise or hidden columns for each unit
  bool sparse = false;  // each query trains other neurons
};

inline void PrintTo(const FamilySetting& setting, std::ostream* out) {
  *out << setting.name;
}

inline constexpr FamilySetting kFamilySettings[] = {
    {"Attention", "attention", "width = 8\nheads = 2\nhidden = 6\nlatent = 2\ncalibration_rounds = 1\n"},
    {"AttentionSubjects", "attention", "width = 8\nheads = 2\nhidden = 6\nlatent = 2\ncalibration_rounds = 1\n", true},
    {"AttentionWithoutLatent", "attention", "width = 8\nheads = 2\nhidden = 6\nlatent = 0\ncalibration_rounds = 1\n"},
    {"AttentionTogether", "attention",
     "decoding = \"together\"\nwidth = 8\nheads = 2\nhidden = 6\nlatent = 3\ncalibration_rounds = 1\n"},
    {"AttentionPerNeuron", "attention",
     "width = 8\nheads = 2\nhidden = 6\nlatent = 2\ncalibration_rounds = 1\nclipping = \"per_neuron\"\n"},
    {"Masked", "table_diffusion", "hidden = 6\ncalibration_rounds = 1\n"},
    {"MaskedWithTime", "table_diffusion", "hidden = 6\ncalibration_rounds = 1\ntime_embedding = 16\n"},
    {"MaskedOneLevel", "table_diffusion", "hidden = 6\ncalibration_rounds = 1\nlevels_per_row = 1\n"},
    {"MaskedSubjects", "table_diffusion", "hidden = 6\ncalibration_rounds = 1\n", true},
    {"MaskedAutomatic", "table_diffusion", "hidden = 6\ncalibration_rounds = 1\nclipping = \"automatic\"\n"},
    {"MaskedAdaptiveSubjects", "table_diffusion", "hidden = 6\ncalibration_rounds = 1\nclipping = \"adaptive\"\n",
     true},
    {"MaskedPerLayer", "table_diffusion", "hidden = 6\ncalibration_rounds = 1\nclipping = \"per_layer\"\n"},
    {"MaskedPerNeuron", "table_diffusion", "hidden = 6\ncalibration_rounds = 1\nclipping = \"per_neuron\"\n"},
    {"Published", "table_diffusion", "hidden = 6\nvariant = \"published\"\n"},
    {"PublishedSubjects", "table_diffusion", "hidden = 6\nvariant = \"published\"\nlevels = 5\n", true},
    {"Denoiser", "table_diffusion", "hidden = 6\nvariant = \"denoiser\"\n"},
    {"DenoiserSubjects", "table_diffusion", "hidden = 6\nvariant = \"denoiser\"\nlevels = 5\n", true},
    {"Stages", "spline_flow", "hidden = 6\ncalibration_rounds = 1\n", false, false},
    {"StagesSubjects", "spline_flow", "hidden = 6\ncalibration_rounds = 1\n", true, false},
    {"StagesLearnedSlopes", "spline_flow", "hidden = 6\ncalibration_rounds = 1\nslopes = \"learned\"\n", false, false},
    {"StagesUnshared", "spline_flow", "hidden = 6\ncalibration_rounds = 1\nshared = false\n", false, false},
    {"StagesSparse", "spline_flow", "hidden = 6\ncalibration_rounds = 1\nclipping = \"per_neuron\"\nkeep_rate = 0.5\n",
     false, false, true},
    {"Coupling", "spline_flow", "hidden = 6\nvariant = \"coupling\"\nstages = 3\nbins = 4\n"},
    {"CouplingSubjects", "spline_flow", "hidden = 6\nvariant = \"coupling\"\nstages = 3\nbins = 4\n", true},
    {"CouplingUnshared", "spline_flow", "hidden = 6\nvariant = \"coupling\"\nstages = 3\nbins = 4\nshared = false\n"},
    {"CouplingSparse", "spline_flow",
     "hidden = 6\nvariant = \"coupling\"\nstages = 3\nbins = 4\nclipping = \"per_neuron\"\nkeep_rate = 0.5\n"},
    {"Wgan", "wgan",
     "critic_hidden = 6\nlatent = 4\ngenerator_hidden = 6\ngenerator_rows = 16\ngenerator_steps = "
     "1\ncalibration_rounds = 1\n",
     false, false},
    {"WganSubjects", "wgan",
     "critic_hidden = 6\nlatent = 4\ngenerator_hidden = 6\ngenerator_rows = 16\ngenerator_steps = "
     "1\ncalibration_rounds = 1\n",
     true, false},
    {"WganDeep", "wgan",
     "critic_hidden = 6\nlatent = 4\ngenerator_hidden = 6\ngenerator_rows = 16\ngenerator_steps = "
     "1\ncalibration_rounds = 1\ncritic_layers = 2\n",
     false, false},
    {"WganFlat", "wgan",
     "critic_hidden = 6\nlatent = 4\ngenerator_hidden = 6\ngenerator_rows = 16\ngenerator_steps = "
     "1\ncalibration_rounds = 1\nclipping = \"flat\"\n",
     false, false},
    {"WganAdaptiveSubjects", "wgan",
     "critic_hidden = 6\nlatent = 4\ngenerator_hidden = 6\ngenerator_rows = 16\ngenerator_steps = "
     "1\ncalibration_rounds = 1\nclipping = \"adaptive\"\n",
     true, false},
};

}  // namespace synod::testing
