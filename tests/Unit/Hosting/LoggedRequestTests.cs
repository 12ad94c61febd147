using LocalPlus.Hosting;
using Microsoft.AspNetCore.Routing.Patterns;

namespace LocalPlus.Tests.Unit.Hosting;

public sealed class LoggedRequestTests
{
    [Theory]
    [InlineData("/v1/gift_cards/{id}", "/v1/gift_cards/gc_01m8qtsrkde8krt6a84m0fzh85")]
    [InlineData("/v1/requests/{request_id}", "/v1/requests/4bf92f3577b34da6a3ce929d0e0e4736")]
    [InlineData("/v1/gift_cards/lookup", "/v1/gift_cards/lookup")]
    public void Words_of_the_route_and_ids_stay(string route, string path) =>
        Assert.Equal(path, LoggedRequest.Masked(RoutePatternFactory.Parse(route), path));

    [Theory]
    [InlineData("KXR7Q2MPVDN4TWY8")]
    [InlineData("4711")]
    [InlineData("anna@example.test")]
    [InlineData("lp_test_01m8qtsgq7eddtpcvbsxxa1myzy5xjpxb567cs4tq4kwqr41vzq8kz1nay")]
    [InlineData("gc_01m8qtsrkde8krt6a84m0fzh85x")]
    [InlineData("lookup")]
    public void Whatever_else_somebody_puts_in_a_path_is_masked(string text) =>
        Assert.Equal(
            "/v1/gift_cards/***/activities",
            LoggedRequest.Masked(
                RoutePatternFactory.Parse("/v1/gift_cards/{id}/activities"),
                $"/v1/gift_cards/{text}/activities"
            )
        );

    [Fact]
    public void What_goes_on_beyond_the_route_is_masked_and_what_is_long_ends()
    {
        var path = $"/v1/{string.Join('/', Enumerable.Repeat("secret", 200))}";

        var masked = LoggedRequest.Masked(RoutePatternFactory.Parse("/v1/{**rest}"), path);

        Assert.Equal(LoggedRequest.MaxPathLength, masked.Length);
        Assert.DoesNotContain("secret", masked, StringComparison.Ordinal);
    }
}
