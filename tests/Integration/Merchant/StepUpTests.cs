using System.Net;
using System.Text.Json;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Merchant;

/// <summary>What can not be taken back wants an operator who signed in a moment ago (ADR 0035).</summary>
public sealed class StepUpTests(MerchantApi api) : IClassFixture<MerchantApi>
{
    private static readonly object Why = new { reason = "complaints of customers" };

    [Fact]
    public async Task T42_who_signed_in_long_ago_is_told_to_sign_in_again_and_nothing_has_happened()
    {
        var (id, _, _) = await api.OnboardAsync();
        var sixMinutesAgo = TimeProvider.System.GetUtcNow().AddMinutes(-6);

        using var refused = await DecideAsync(id, "suspend", api.Token("operator", sixMinutesAgo));

        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        var problem = JsonElement.Parse(await refused.Content.ReadAsStringAsync());
        Assert.Equal("step_up_required", problem.GetProperty("code").GetString());
        Assert.Equal(300, problem.GetProperty("max_age_seconds").GetInt64());
        var challenge = refused.Headers.WwwAuthenticate.ToString();
        Assert.Contains("insufficient_user_authentication", challenge, StringComparison.Ordinal);
        Assert.Contains("max_age=\"300\"", challenge, StringComparison.Ordinal);
        var merchant = await api.OperateAsync(HttpMethod.Get, $"/ops/v1/merchants/{id}", "viewer");
        Assert.Equal("active", merchant.GetProperty("status").GetString());
    }

    [Fact]
    public async Task Who_signed_in_four_minutes_ago_may_and_what_can_be_taken_back_asks_nobody()
    {
        var (id, _, _) = await api.OnboardAsync();

        using var suspended = await DecideAsync(
            id,
            "suspend",
            api.Token("operator", TimeProvider.System.GetUtcNow().AddMinutes(-4))
        );
        Assert.Equal(HttpStatusCode.OK, suspended.StatusCode);
        using var resumed = await DecideAsync(
            id,
            "resume",
            api.Token("operator", TimeProvider.System.GetUtcNow().AddHours(-1))
        );
        Assert.Equal(HttpStatusCode.OK, resumed.StatusCode);
    }

    private Task<HttpResponseMessage> DecideAsync(string id, string verb, string token) =>
        api.Service.SendAsync(HttpMethod.Post, $"/ops/v1/merchants/{id}/{verb}", token, Why);
}
