using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Tests.Integration.Giftcard.Faults;

/// <summary>What is said in a peer's place, by a sidecar or a gateway, is no verdict of the peer.</summary>
public sealed class PeerWordTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    [Fact]
    public async Task Fault_13_A_404_that_is_not_the_peers_own_word_is_no_verdict_on_a_customer_or_location()
    {
        var (program, silent) = (await api.ProgramAsync(), Base32.Format(GiftcardApi.Unanswered));

        await api.PostAsync(
            "/v1/gift_cards",
            new
            {
                program_id = program,
                amount = GiftcardApi.Eur(1),
                customer_id = $"cus_{silent}",
            },
            503
        );
        await api.PostAsync(
            "/v1/programs",
            new
            {
                name = "P",
                currency = "EUR",
                locations = new[] { $"loc_{silent}" },
            },
            503
        );
    }

    [Fact]
    public async Task Fault_13_A_400_that_is_not_the_wallets_own_word_is_no_verdict_on_an_address()
    {
        var program = await api.ProgramAsync();
        var sale = new
        {
            program_id = program,
            amount = GiftcardApi.Eur(1),
            recipient = new { email = "eve@example.com" },
        };
        api.Sidecar.OnInvoke(
            "wallet",
            "internal/customers",
            _ => Task.FromResult(Results.Json(new { errorCode = "ERR_MALFORMED_REQUEST" }, statusCode: 400))
        );
        try
        {
            await api.PostAsync("/v1/gift_cards", sale, 503);
        }
        finally
        {
            api.WalletAnswers();
        }

        await api.PostAsync("/v1/gift_cards", sale, 201);
    }
}
