using System.Net.Http.Json;
using System.Text.Json;
using LocalPlus.Kernel;

namespace LocalPlus.Tests.Integration.Giftcard.Faults;

/// <summary>What a till claims to be, and what it claims to have taken.</summary>
public sealed class OfflineChainTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    [Fact]
    public async Task Fault_11_of_two_chains_at_once_one_is_taken_and_the_other_is_told()
    {
        for (var round = 0; round < 10; round++)
        {
            var (card, code) = await api.SellAsync(1000);
            var till = await OfflineTill.OpenAsync(api, 1000, 1000);
            var copy = till.Copy();
            (OfflineTill Till, OfflinePayment[] Items)[] chains =
            [
                (till, [till.Item(code, 100), till.Item(code, 10)]),
                (copy, [copy.Item(code, 200), copy.Item(code, 20)]),
            ];

            var answers = await Task.WhenAll(chains.Select(c => UploadAsync(c.Till, c.Items)));

            Assert.Single(answers, a => a.Status == 200);
            Assert.Equal("offline_chain_broken", GiftcardApi.Code(Assert.Single(answers, a => a.Status == 422).Body));
            var taken = Array.FindIndex(answers, a => a.Status == 200);
            var paid = await chains[taken].Till.SettledAsync(chains[taken].Items);
            Assert.Equal(
                1000 - paid.Sum(i => GiftcardApi.Amount(i, "captured")),
                GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance")
            );
            Assert.Equal(taken == 0 ? 110 : 220, paid.Sum(i => GiftcardApi.Amount(i, "captured")));
        }
    }

    [Fact]
    public async Task Fault_28_a_terminal_is_its_merchants_own_name_and_opens_nothing()
    {
        var terminal = TerminalId.New(TimeProvider.System).ToString();
        var (_, other) = api.NewMerchant();
        var (_, code) = await api.SellAsync(1000);
        var caps = new
        {
            card_cap = GiftcardApi.Eur(100),
            total_cap = GiftcardApi.Eur(100),
            valid_seconds = 3600,
        };

        // The same name with two merchants is two tills, and nobody's proof of being one.
        var mine = await api.PostAsync($"/v1/terminals/{terminal}/offline_allowances", caps, 201);
        await api.PostAsync($"/v1/terminals/{terminal}/offline_allowances", caps, 201, key: other);
        var till = new OfflineTill(
            api,
            terminal,
            mine.GetProperty("token").GetString()!,
            Convert.FromHexString(mine.GetProperty("first_link").GetString()!),
            other
        );
        var foreign = await UploadAsync(till, [till.Item(code, 50)]);

        Assert.Equal((422, "offline_allowance_invalid"), (foreign.Status, GiftcardApi.Code(foreign.Body)));
    }

    private async Task<(int Status, JsonElement Body)> UploadAsync(OfflineTill till, OfflinePayment[] items)
    {
        using var answer = await api.SendAsync(HttpMethod.Post, till.BatchPath, till.Key, till.Batch(items), null);
        return ((int)answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>());
    }
}
