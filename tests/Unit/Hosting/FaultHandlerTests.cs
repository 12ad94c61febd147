using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Tests.Unit.Hosting;

public sealed class FaultHandlerTests
{
    [Theory]
    [InlineData("Failed to bind parameter \"LocationId id\" from \"foo\".", "id", "invalid")]
    [InlineData("Failed to bind parameter \"Nullable<int> limit\" from \"x\".", "limit", "invalid")]
    [InlineData("Required parameter \"DateOnly from\" was not provided from query string.", "from", "required")]
    [InlineData(
        "Implicit body inferred for parameter \"request\" but no body was provided. Did you mean to use a Service instead?",
        "/",
        "required"
    )]
    public void What_can_not_be_bound_is_named_without_our_types(string message, string pointer, string code)
    {
        var fault = FaultHandler.ToFault(new BadHttpRequestException(message));

        Assert.Equal(CommonFaults.InvalidRequest, fault.Fault);
        Assert.Equal(new FieldError(pointer, code), Assert.Single(fault.Errors));
        Assert.DoesNotContain("LocationId", fault.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("Service", fault.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_framework_messages_are_not_passed_on() =>
        Assert.Equal(
            "The request is malformed.",
            FaultHandler.ToFault(new BadHttpRequestException("Kestrel says no")).Detail
        );
}
