using System.Reflection;
using LocalPlus.Giftcard.Runs;
using LocalPlus.Workflows;

namespace LocalPlus.Tests.Unit.Giftcard;

public class RunsFeatureTests
{
    private const string Generated = "Dapr.Workflow.Versioning.GeneratedWorkflowVersionRegistry";

    [Fact]
    public void Workflow_and_activities_are_registered_by_hand_and_not_by_the_generator_as_well()
    {
        Assembly[] parts = [typeof(RedemptionV1).Assembly, typeof(AdvanceRedemption).Assembly];
        Assert.All(parts, part => Assert.Null(part.GetType(Generated)));
    }
}
