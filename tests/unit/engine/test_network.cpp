#include "tests/unit/engine/test_network.h"

#include <cmath>

#include "models/engine/attention.h"
#include "models/engine/lu_linear.h"

namespace synod::engine {
namespace {

using torch::Tensor;

Tensor Part(const Tensor& flat, std::int64_t offset, std::vector<std::int64_t> shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return flat.narrow(0, offset, count).view(shape);
}

Tensor As(const Tensor& values, const Tensor& flat) {
  return values.to(flat.scalar_type());
}

Tensor PlainLinear(const Tensor& flat, const LinearLayer& layer, const Tensor& x) {
  const Tensor y = torch::matmul(As(x, flat), Part(flat, layer.weight_offset, {layer.out, layer.in}).t());
  return layer.has_bias ? y + Part(flat, layer.bias_offset, {layer.out}) : y;
}

Tensor PlainMasked(const Tensor& flat, const MaskedLinearLayer& layer, const Tensor& x) {
  const auto count = static_cast<std::int64_t>(layer.positions->size());
  const Tensor positions = torch::tensor(*layer.positions, torch::kInt64);
  const Tensor weight = torch::zeros({layer.out * layer.in}, flat.options().requires_grad(false))
                            .index_copy(0, positions, flat.narrow(0, layer.values_offset, count))
                            .view({layer.out, layer.in});
  const Tensor y = torch::matmul(x, weight.t());
  return layer.has_bias ? y + Part(flat, layer.bias_offset, {layer.out}) : y;
}

TestNetwork LinearNetwork() {
  TestNetwork net{"linear", {}, {}, {}};
  const LinearLayer first = net.builder.Linear("first", 6, 5);
  const LinearLayer last = net.builder.Linear("last", 5, 2, false);
  net.taped = [=](Tape& tape, const TestBatch& batch) {
    return tape.Linear(last, torch::tanh(tape.Linear(first, batch.rows)));
  };
  net.plain = [=](const Tensor& flat, const TestBatch& batch) {
    return PlainLinear(flat, last, torch::tanh(PlainLinear(flat, first, batch.rows)));
  };
  return net;
}

TestNetwork SharedLinear() {
  TestNetwork net{"linear_called_three_times", {}, {}, {}};
  const LinearLayer layer = net.builder.Linear("layer", 6, 6);
  net.taped = [=](Tape& tape, const TestBatch& batch) {
    Tensor h = batch.rows;
    for (int call = 0; call < 3; ++call) h = torch::tanh(tape.Linear(layer, h));
    return h;
  };
  net.plain = [=](const Tensor& flat, const TestBatch& batch) {
    Tensor h = batch.rows;
    for (int call = 0; call < 3; ++call) h = torch::tanh(PlainLinear(flat, layer, h));
    return h;
  };
  return net;
}

TestNetwork TiedLinear() {
  TestNetwork net{"linear_and_its_transpose_tied", {}, {}, {}};
  const LinearLayer layer = net.builder.Linear("layer", 6, 4);
  const BiasLayer back = net.builder.Bias("back", 6);
  net.taped = [=](Tape& tape, const TestBatch& batch) {
    return tape.Bias(back, tape.LinearTransposed(layer, torch::tanh(tape.Linear(layer, batch.rows))));
  };
  net.plain = [=](const Tensor& flat, const TestBatch& batch) {
    const Tensor h = torch::tanh(PlainLinear(flat, layer, batch.rows));
    return torch::matmul(h, Part(flat, layer.weight_offset, {4, 6})) + Part(flat, back.offset, {6});
  };
  return net;
}

TestNetwork TokenLinear() {
  TestNetwork net{"linear_bias_and_norm_on_tokens", {}, {}, {}};
  const LinearLayer layer = net.builder.Linear("layer", 4, 5);
  const BiasLayer bias = net.builder.Bias("bias", 5);
  const NormLayer norm = net.builder.Norm("norm", 5);
  net.taped = [=](Tape& tape, const TestBatch& batch) {
    const Tensor h = tape.Bias(bias, torch::tanh(tape.Linear(layer, batch.tokens)));
    return torch::tanh(tape.Norm(norm, torch::tanh(tape.Norm(norm, h)))).flatten(1);
  };
  net.plain = [=](const Tensor& flat, const TestBatch& batch) {
    Tensor h = torch::tanh(PlainLinear(flat, layer, batch.tokens)) + Part(flat, bias.offset, {5});
    for (int call = 0; call < 2; ++call) {
      h = torch::tanh(torch::layer_norm(h, {5}, Part(flat, norm.gain_offset, {5}), Part(flat, norm.shift_offset, {5})));
    }
    return h.flatten(1);
  };
  return net;
}

Tensor OneHots(const Tensor& codes, const Tensor& flat) {
  return (codes.unsqueeze(-1) == torch::arange(7, torch::kInt64)).to(flat.scalar_type());  // [..., 7]
}

TestNetwork TiedEmbedding() {
  TestNetwork net{"embedding_and_logits_tied", {}, {}, {}};
  const EmbeddingLayer layer = net.builder.Embedding("layer", 7, 4);
  net.taped = [=](Tape& tape, const TestBatch& batch) {
    return tape.Logits(layer, torch::tanh(tape.Embedding(layer, batch.codes).sum(1) + batch.tokens.sum(1)));
  };
  net.plain = [=](const Tensor& flat, const TestBatch& batch) {
    const Tensor table = Part(flat, layer.table_offset, {7, 4});
    const Tensor looked_up = torch::matmul(OneHots(batch.codes, flat), table).sum(1);
    return torch::matmul(torch::tanh(looked_up + As(batch.tokens, flat).sum(1)), table.t());
  };
  return net;
}

TestNetwork OneHotNetwork() {
  TestNetwork net{"one_hot_linear_and_embedding", {}, {}, {}};
  const OneHotLinearLayer layer = net.builder.OneHotLinear("layer", 7, 4);
  const EmbeddingLayer table = net.builder.Embedding("table", 7, 4);
  net.taped = [=](Tape& tape, const TestBatch& batch) {
    const Tensor some = batch.codes.slice(1, 0, 2).contiguous();
    return torch::tanh(tape.OneHotLinear(layer, batch.codes)) * tape.OneHotLinear(layer, some) +
           torch::tanh(tape.Embedding(table, batch.codes)).sum(1);
  };
  net.plain = [=](const Tensor& flat, const TestBatch& batch) {
    const Tensor one_hots = OneHots(batch.codes, flat);
    const auto apply = [&](const Tensor& rows) {
      return torch::matmul(rows, Part(flat, layer.table_offset, {7, 4})) + Part(flat, layer.bias_offset, {4});
    };
    return torch::tanh(apply(one_hots.sum(1))) * apply(one_hots.slice(1, 0, 2).sum(1)) +
           torch::tanh(torch::matmul(one_hots, Part(flat, table.table_offset, {7, 4}))).sum(1);
  };
  return net;
}

TestNetwork ConvNetwork() {
  TestNetwork net{"convolutions_and_group_norm", {}, {}, {}};
  const Conv2dLayer same = net.builder.Conv2d("same", 2, 2, {3, 1, 1, true});
  const GroupNormLayer norm = net.builder.GroupNorm("norm", 2, 2);
  const Conv2dLayer last = net.builder.Conv2d("last", 2, 3, {2, 2, 0, false});
  net.taped = [=](Tape& tape, const TestBatch& batch) {
    const Tensor h = torch::tanh(tape.GroupNorm(norm, tape.Conv2d(same, batch.images)));
    return tape.Conv2d(last, torch::tanh(tape.Conv2d(same, h))).flatten(1);
  };
  net.plain = [=](const Tensor& flat, const TestBatch& batch) {
    const auto conv = [&](const Tensor& x) {
      return torch::conv2d(x, Part(flat, same.weight_offset, {2, 2, 3, 3}), Part(flat, same.bias_offset, {2}), 1, 1);
    };
    const Tensor h = torch::tanh(torch::group_norm(conv(As(batch.images, flat)), 2, Part(flat, norm.gain_offset, {2}),
                                                   Part(flat, norm.shift_offset, {2})));
    return torch::conv2d(torch::tanh(conv(h)), Part(flat, last.weight_offset, {3, 2, 2, 2}), {}, 2).flatten(1);
  };
  return net;
}

std::vector<bool> TestMask(std::int64_t rows, std::int64_t columns) {
  std::vector<bool> mask;
  for (std::int64_t i = 0; i < rows * columns; ++i) mask.push_back(i % 3 != 1);
  return mask;
}

TestNetwork MaskedNetwork(int calls) {
  TestNetwork net{calls == 1 ? "masked_linear" : "masked_linear_called_twice", {}, {}, {}};
  const MaskedLinearLayer layer = net.builder.MaskedLinear("layer", 6, 6, TestMask(6, 6));
  net.taped = [=](Tape& tape, const TestBatch& batch) {
    Tensor h = batch.rows;
    for (int call = 0; call < calls; ++call) h = torch::tanh(tape.MaskedLinear(layer, h));
    return h;
  };
  net.plain = [=](const Tensor& flat, const TestBatch& batch) {
    Tensor h = As(batch.rows, flat);
    for (int call = 0; call < calls; ++call) h = torch::tanh(PlainMasked(flat, layer, h));
    return h;
  };
  return net;
}

TestNetwork LuNetwork() {
  TestNetwork net{"lu_linear_called_twice", {}, {}, {}};
  const LuLinearLayer layer = net.builder.LuLinear("layer", {3, 0, 5, 1, 2, 4});
  net.taped = [=](Tape& tape, const TestBatch& batch) {
    const LuOutput first = LuForward(tape, layer, batch.rows);
    const LuOutput second = LuForward(tape, layer, torch::tanh(first.values));
    return torch::cat({second.values, (first.log_determinant + second.log_determinant).unsqueeze(1)}, 1);
  };
  net.plain = [=](const Tensor& flat, const TestBatch& batch) {
    const Tensor order = torch::tensor(layer.permutation, torch::kInt64);
    const Tensor diagonal = torch::softplus(Part(flat, layer.diagonal.offset, {6})) + 1e-3;
    const auto apply = [&](const Tensor& x) {
      const Tensor permuted = x.index_select(1, order);
      const Tensor upper = permuted * diagonal + PlainMasked(flat, layer.upper, permuted);
      return upper + PlainMasked(flat, layer.lower, upper) + Part(flat, layer.bias.offset, {6});
    };
    const Tensor values = apply(torch::tanh(apply(As(batch.rows, flat))));
    return torch::cat({values, (2.0 * diagonal.log().sum()).expand({values.size(0), 1})}, 1);
  };
  return net;
}

TestNetwork WeightNormNetwork(int calls) {
  TestNetwork net{calls == 1 ? "weight_norm" : "weight_norm_called_twice", {}, {}, {}};
  const WeightNormLayer layer = net.builder.WeightNorm("layer", 6, 6);
  net.taped = [=](Tape& tape, const TestBatch& batch) {
    Tensor h = batch.rows;
    for (int call = 0; call < calls; ++call) h = torch::tanh(tape.WeightNorm(layer, h));
    return h;
  };
  net.plain = [=](const Tensor& flat, const TestBatch& batch) {
    const Tensor v = Part(flat, layer.direction_offset, {6, 6});
    const Tensor weight = Part(flat, layer.gain_offset, {6, 1}) * v / v.norm(2, 1, true);
    Tensor h = As(batch.rows, flat);
    for (int call = 0; call < calls; ++call) {
      h = torch::tanh(torch::matmul(h, weight.t()) + Part(flat, layer.shift_offset, {6}));
    }
    return h;
  };
  return net;
}

TestNetwork BroadcastNetwork() {
  TestNetwork net{"broadcast_in_a_function_of_its_own", {}, {}, {}};
  const BroadcastLayer layer = net.builder.Broadcast("layer", {3, 4});
  net.taped = [=](Tape& tape, const TestBatch& batch) {
    const Tensor own = tape.Broadcast(layer);
    return (torch::softplus(own) * torch::tanh(batch.tokens + own) + torch::sin(tape.Broadcast(layer))).flatten(1);
  };
  net.plain = [=](const Tensor& flat, const TestBatch& batch) {
    const Tensor own = Part(flat, layer.offset, {1, 3, 4});
    return (torch::softplus(own) * torch::tanh(As(batch.tokens, flat) + own) + torch::sin(own)).flatten(1);
  };
  return net;
}

TestNetwork AttentionNetwork() {
  TestNetwork net{"attention_over_columns", {}, {}, {}};
  const AttentionLayer layer = net.builder.Attention("layer", 4, 2);
  const BroadcastLayer scores = net.builder.Broadcast("scores", {2, 3, 3});
  net.taped = [=](Tape& tape, const TestBatch& batch) {
    return Attend(tape, layer, torch::tanh(Attend(tape, layer, batch.tokens, tape.Broadcast(scores)))).flatten(1);
  };
  net.plain = [=](const Tensor& flat, const TestBatch& batch) {
    const auto attend = [&](const Tensor& x, const Tensor& added) {
      const Tensor qkv = PlainLinear(flat, layer.projection, x);
      std::vector<Tensor> heads;
      for (int head = 0; head < 2; ++head) {
        const auto slice = [&](int part) { return qkv.slice(2, part * 4 + head * 2, part * 4 + head * 2 + 2); };
        Tensor s = torch::matmul(slice(0), slice(1).transpose(1, 2)) / std::sqrt(2.0);
        if (added.defined()) s = s + added[head];
        heads.push_back(torch::matmul(torch::softmax(s, 2), slice(2)));
      }
      return PlainLinear(flat, layer.output, torch::cat(heads, 2));
    };
    return attend(torch::tanh(attend(As(batch.tokens, flat), Part(flat, scores.offset, {2, 3, 3}))), {}).flatten(1);
  };
  return net;
}

}  // namespace

TestBatch TestBatch::Random(std::int64_t units, std::int64_t uses, std::uint64_t seed) {
  torch::manual_seed(seed);
  const std::int64_t count = units * uses;
  return {units,
          uses,
          torch::randn({count, 6}),
          torch::randn({count, 3, 4}),
          torch::randn({count, 2, 5, 5}),
          torch::randint(-1, 7, {count, 3}, torch::kInt64)};
}

TestBatch TestBatch::Select(const std::vector<std::int64_t>& order) const {
  std::vector<std::int64_t> picked;
  for (const std::int64_t unit : order) {
    for (std::int64_t use = 0; use < uses; ++use) picked.push_back(unit * uses + use);
  }
  const Tensor index = torch::tensor(picked, torch::kInt64);
  return {static_cast<std::int64_t>(order.size()),
          uses,
          rows.index_select(0, index),
          tokens.index_select(0, index),
          images.index_select(0, index),
          codes.index_select(0, index)};
}

TestBatch TestBatch::Scaled(double factor) const {
  return {units, uses, rows * factor, tokens * factor, images * factor, codes};
}

const std::vector<TestNetwork>& TestNetworks() {
  static const std::vector<TestNetwork> kNetworks = {
      LinearNetwork(),      SharedLinear(),       TiedLinear(),       TokenLinear(),     TiedEmbedding(),
      OneHotNetwork(),      ConvNetwork(),        MaskedNetwork(1),   MaskedNetwork(2),  LuNetwork(),
      WeightNormNetwork(1), WeightNormNetwork(2), BroadcastNetwork(), AttentionNetwork()};
  return kNetworks;
}

torch::Tensor RandomParameters(const TestNetwork& network, std::uint64_t seed) {
  torch::manual_seed(seed);
  return torch::randn({network.builder.size()}) * 0.7;
}

torch::Tensor LossesOf(const torch::Tensor& output, const TestBatch& batch) {
  const torch::Tensor scale = torch::linspace(0.5, 1.5, output.size(1), output.options().requires_grad(false));
  return (output * scale + 0.3).square().sum(1).view({batch.units, batch.uses}).mean(1);
}

torch::Tensor UnitGradientOf(const TestNetwork& network, const torch::Tensor& parameters, const TestBatch& batch,
                             std::int64_t unit) {
  const torch::Tensor flat = parameters.to(torch::kFloat64).set_requires_grad(true);
  const TestBatch alone = batch.Select({unit});
  return torch::autograd::grad({LossesOf(network.plain(flat, alone), alone).sum()}, {flat})[0];
}

}  // namespace synod::engine
