// Wrong versions of what the product does, for the tests that show that they are caught.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "common/data/schema.h"
#include "common/privacy/plan.h"
#include "common/query/sums.h"
#include "tests/honesty/integers.h"

namespace synod::honesty {

// What ClippedSummer makes of a block of `units` units: its own check ends the program on what was not clipped.
ClippedSum SumOfBlock(const Row& block, double clip, std::uint32_t units = 1);

// ---- A layer that one unit uses several times: its gradient is the sum over uses of g a^T.

struct Use {
  Row g;  // gradient by the outputs
  Row a;  // input
};
using Uses = std::vector<Use>;

// `count` uses with the same input and output gradient.
Uses EqualUses(std::size_t count);
// Two uses that nearly cancel, with large entries: the Gram rule in float32 loses every digit.
Uses CancellingUses(std::uint64_t seed);
Row GradientOf(const Uses& uses);  // g a^T summed, one float a weight
// Wrong: the sum over uses of (|g| |a|)^2, as if uses were orthogonal.
double SumOfSquaredNorms(const Uses& uses);
// Wrong on its own: sum over pairs of uses of (g_s g_t) (a_s a_t) in float32, which may cancel below zero.
float GramInFloat(const Uses& uses);
// What the engine does: the same plus what rounding may have taken away.
double UpperBoundOfGram(const Uses& uses);

// ---- Sums whose units are not on their own.

using BatchSum = std::function<Row(const std::vector<Row>& batch)>;

// How far, in multiples of `clip`, the sum moves at most when one row of the batch goes away.
double WorstMoveInClips(const BatchSum& sum, const std::vector<Row>& batch, double clip);
Row CentredByTheBatch(const std::vector<Row>& batch, double clip);       // wrong: each row less the batch's mean
Row AttentionAcrossRows(const std::vector<Row>& batch, double clip);     // wrong: each row a mean weighted by likeness
Row GradientOfACoupledLoss(const std::vector<Row>& batch, double clip);  // wrong: loss of a row against its neighbours
Row ClippedAfterSummation(const std::vector<Row>& batch, double clip);   // wrong
Row ClippedEachOnItsOwn(const std::vector<Row>& batch, double clip);     // right
// Rows at which all of these go wrong visibly.
std::vector<Row> RevealingBatch();

// ---- Sampling.

// Deviations of the spread of batch sizes from that of a Poisson sample, in standard deviations.
double SpreadDeviation(const std::vector<std::size_t>& sizes, std::size_t units, double rate);
// Wrong: batches of a fixed size from a shuffled order.
std::vector<std::size_t> ShuffledBatchSizes(std::size_t units, double rate, std::size_t batches);

// ---- Public statements that are not.

// Wrong: a schema whose bounds are the least and greatest of the numbers.
Schema SchemaWithBoundsOf(const std::vector<double>& numbers);

// Wrong: the plan with this variance of a site's share in every entry, everything else as it was.
Plan WithShares(const Plan& plan, const std::function<std::uint64_t(const PlanEntry&)>& variance);

}  // namespace synod::honesty
