#include "models/wgan/options.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace synod::wgan {
namespace {

using gradient_family::Clipping;
using gradient_family::IntegerKey;
using gradient_family::OptionKeys;
using gradient_family::RealKey;

constexpr IntegerKey<Options> kIntegers[] = {
    {"critic_hidden", &Options::critic_hidden, 1, 2048},
    {"critic_layers", &Options::critic_layers, 1, 4},
    {"latent", &Options::latent, 1, 1024},
    {"generator_hidden", &Options::generator_hidden, 1, 2048},
    {"generator_layers", &Options::generator_layers, 1, 4},
    {"generator_steps", &Options::generator_steps, 1, 64},
    {"generator_rows", &Options::generator_rows, 1, 16384},
    {"calibration_rounds", &Options::calibration_rounds, 0, 200},
};
constexpr RealKey<Options> kReals[] = {
    {"clamp", &Options::clamp, 1e-4, 100.0},
    {"critic_decay", &Options::critic_decay, 0.0, 0.99},
    {"generator_learning_rate", &Options::generator_learning_rate, 1e-8, 1.0},
    {"one_way_weight", &Options::one_way_weight, 0.0, 1000.0},
};
constexpr OptionKeys<Options> kKeys = {kIntegers, kReals, {}};

Options Defaults(const RunSize& size) {
  Options options;
  const double units = static_cast<double>(std::max<std::uint64_t>(size.units, 1));
  options.batch = static_cast<std::uint32_t>(std::clamp(units / 8.0, 1.0, 4096.0));
  options.steps = 200;
  options.learning_rate = 0.01;
  options.beta1 = 0.0;  // momentum of the one player is a lag for the other
  options.clipping = Clipping::kAutomatic;
  options.average_decay = 0.95;
  return options;
}

// The coordinator clips generated rows as sites clip real ones, by their whole norm.
bool ClipsWhole(const Options& options) {
  return options.clipping != Clipping::kPerLayer && options.clipping != Clipping::kPerNeuron;
}

}  // namespace

Result<Options> Options::FromToml(const TomlSection& section, const RunSize& size) {
  SYNOD_ASSIGN_OR_RETURN(const std::string family, section.Text("family", "wgan"));
  Options options = Defaults(size);
  SYNOD_RETURN_IF_ERROR(gradient_family::ReadTrainingKeys(section, options));
  SYNOD_RETURN_IF_ERROR(gradient_family::ReadKeys(section, kKeys, options));
  if (!ClipsWhole(options)) {
    return section.ErrorAt("clipping", "is not one that wgan can mirror on generated rows",
                           "use \"flat\", \"automatic\" or \"adaptive\"");
  }
  SYNOD_RETURN_IF_ERROR(section.Finish());
  return options;
}

Json Options::ToJson() const {
  Json json = Json::object();
  gradient_family::TrainingToJson(*this, json);
  gradient_family::KeysToJson(kKeys, *this, json);
  return json;
}

Result<Options> Options::FromJson(const Json& json) {
  const Error broken = BadInput("the options of wgan are not complete and in range");
  Options options;
  if (!json.is_object() || json.size() != gradient_family::TrainingJsonSize() + kKeys.size()) return broken;
  if (!gradient_family::TrainingFromJson(json, options)) return broken;
  if (!gradient_family::KeysFromJson(kKeys, json, options) || !ClipsWhole(options)) return broken;
  return options;
}

}  // namespace synod::wgan
