namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>One of a merchant's people at a service that knows no team.</summary>
public sealed class PersonTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    [Fact]
    public async Task A_cashier_sells_and_redeems_with_the_token_and_nothing_else()
    {
        var subject = $"cashier-{Guid.CreateVersion7():N}";
        api.Sidecar.IssuePerson(api.Merchant, subject, "gift_cards:write", "redemptions:read", "redemptions:write");
        var token = api.PersonToken(subject);
        var program = await api.ProgramAsync();

        var (_, code) = await api.SellAsync(1000, program, token);
        var paid = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 300), 201, key: token);
        var refused = await api.PostAsync("/v1/programs", new { name = "x", currency = "EUR" }, 403, key: token);

        Assert.Equal("scope_missing", GiftcardApi.Code(refused));
        // The merchant's keys see what its people did.
        await api.GetAsync($"/v1/redemptions/{paid.GetProperty("id").GetString()}");
        await api.GetAsync("/v1/redemptions", 401, api.PersonToken("a stranger"));
        await api.GetAsync("/v1/redemptions", 401, api.OperatorToken("admin"));
    }
}
