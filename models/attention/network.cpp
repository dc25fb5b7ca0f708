#include "models/attention/network.h"

namespace synod::attention {
namespace {

constexpr double kLogVarianceBound = 8.0;

// What a row's tokens say to queries: keys and values by head, [rows, heads, places, width / heads].
struct Tokens {
  torch::Tensor keys;
  torch::Tensor values;
};

class Pass {
 public:
  Pass(const Shape& shape, engine::Tape& tape) : shape_(shape), tape_(tape) {
    places_ = tape_.Broadcast(shape_.places);    // [rows, places, width]
    queries_ = tape_.Broadcast(shape_.queries);  // [rows, places, width]
  }

  Tokens ColumnTokens(const torch::Tensor& shares) {
    std::vector<torch::Tensor> tokens;
    for (std::size_t j = 0; j < shape_.columns(); ++j) {
      const auto first = static_cast<std::int64_t>(shape_.first_slot[j]);
      tokens.push_back(tape_.Linear(shape_.column[j], shares.narrow(1, first, shape_.column[j].in)));
    }
    return WithKeys(torch::stack(tokens, 1), 0);
  }

  Tokens LatentToken(const torch::Tensor& latent) {
    return WithKeys(tape_.Linear(shape_.latent, latent).unsqueeze(1), Columns());
  }

  // [rows, count, hidden] for the queries [first, first + count). `mask` [rows, places], where defined, is added.
  torch::Tensor Look(std::int64_t first, std::int64_t count, const Tokens& tokens, const torch::Tensor& mask) {
    const torch::Tensor queries = queries_.narrow(1, first, count);
    torch::Tensor scores = torch::matmul(ByHead(queries), tokens.keys.transpose(2, 3)) /
                           std::sqrt(static_cast<double>(shape_.width / shape_.heads));
    if (mask.defined()) scores = scores + mask.unsqueeze(1).unsqueeze(1);
    std::vector<std::int64_t> sink_shape = scores.sizes().vec();
    const std::int64_t places = sink_shape.back();
    sink_shape.back() = 1;
    const torch::Tensor sink = torch::full(sink_shape, SinkScore(shape_), scores.options());
    const torch::Tensor weights = torch::softmax(torch::cat({scores, sink}, 3), 3).narrow(3, 0, places);
    const torch::Tensor found = torch::matmul(weights, tokens.values) * MixScale(shape_);
    const torch::Tensor mixed = found.transpose(1, 2).reshape({queries.size(0), count, shape_.width});
    return torch::tanh(tape_.Linear(shape_.hidden, queries + mixed));
  }

  torch::Tensor Logits(const torch::Tensor& hidden) {
    std::vector<torch::Tensor> logits;
    for (std::size_t j = 0; j < shape_.columns(); ++j) {
      logits.push_back(tape_.Linear(shape_.head[j], hidden.select(1, static_cast<std::int64_t>(j))));
    }
    return torch::cat(logits, 1);
  }

  std::int64_t Columns() const { return static_cast<std::int64_t>(shape_.columns()); }

 private:
  torch::Tensor ByHead(const torch::Tensor& x) const {
    return x.view({x.size(0), x.size(1), shape_.heads, shape_.width / shape_.heads}).transpose(1, 2);
  }

  Tokens WithKeys(const torch::Tensor& tokens, std::int64_t first_place) {
    const torch::Tensor keys = tape_.Linear(shape_.key, tokens) + places_.narrow(1, first_place, tokens.size(1));
    return {ByHead(keys), ByHead(tokens)};
  }

  const Shape& shape_;
  engine::Tape& tape_;
  torch::Tensor places_;
  torch::Tensor queries_;
};

}  // namespace

torch::Tensor DivergenceFromPrior(const torch::Tensor& mean, const torch::Tensor& log_variance) {
  return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1.0).sum(-1);
}

NetworkOutput Forward(const Shape& shape, bool together, engine::Tape& tape, const NetworkInput& input) {
  NetworkOutput output;
  Pass pass(shape, tape);
  Tokens tokens = pass.ColumnTokens(input.shares);
  torch::Tensor mask = input.mask;
  if (shape.has_latent()) {
    const torch::Tensor seen = pass.Look(pass.Columns(), 1, tokens, {}).squeeze(1);
    const std::vector<torch::Tensor> halves = tape.Linear(shape.posterior, seen).chunk(2, 1);
    const torch::Tensor log_variance = kLogVarianceBound * torch::tanh(halves[1] / kLogVarianceBound);
    output.divergence = DivergenceFromPrior(halves[0], log_variance);
    const Tokens latent = pass.LatentToken(halves[0] + torch::exp(0.5 * log_variance) * input.noise);
    if (together) {
      tokens = latent;
      mask = torch::Tensor();
    } else {
      tokens = {torch::cat({tokens.keys, latent.keys}, 2), torch::cat({tokens.values, latent.values}, 2)};
    }
  }
  output.logits = pass.Logits(pass.Look(0, pass.Columns(), tokens, mask));
  return output;
}

}  // namespace synod::attention
