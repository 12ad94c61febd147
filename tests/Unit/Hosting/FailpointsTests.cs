using LocalPlus.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;

namespace LocalPlus.Tests.Unit.Hosting;

public sealed class FailpointsTests
{
    [Theory]
    [InlineData("")]
    [InlineData("PlaceHoldRequest.before=crash")]
    public void A_service_with_failpoints_does_not_start_in_production(string armed)
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { EnvironmentName = Environments.Production }
        );
        builder.Configuration[Failpoints.Variable] = armed;

        var refusal = Assert.Throws<InvalidOperationException>(() => Failpoints.Configure(builder));
        Assert.Contains(Failpoints.Variable, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_none_are_asked_for_an_instant_passes_at_once()
    {
        Failpoints.Configure(
            WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production })
        );

        Assert.True(Failpoints.BeforeAsync("PlaceHoldRequest").IsCompletedSuccessfully);
        Assert.True(Failpoints.CommittedAsync("PlaceHoldRequest").IsCompletedSuccessfully);
        Assert.True(Failpoints.AnsweredAsync("PlaceHoldRequest").IsCompletedSuccessfully);
    }

    [Fact]
    public void A_failpoint_that_is_misspelt_is_refused()
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { EnvironmentName = Environments.Development }
        );
        builder.Configuration[Failpoints.Variable] = "PlaceHoldRequest.before=explode";

        Assert.Throws<InvalidOperationException>(() => Failpoints.Configure(builder));
    }
}
