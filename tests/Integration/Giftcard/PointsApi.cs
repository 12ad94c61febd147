using System.Net;
using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using LocalPlus.Tests.Integration.Wallet.Loyalty;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>
/// Giftcard and wallet before one ledger, as the sidecars between them have it; the way to the wallet can be cut before
/// and after it has done something.
/// </summary>
public sealed class PointsApi : IAsyncLifetime
{
    private static readonly string[] Paths =
    [
        "internal/point_quotes",
        "internal/point_holds",
        "internal/point_holds/*",
    ];

    public LoyaltyApi Wallet { get; } = new();

    public GiftcardApi Giftcard { get; private set; } = null!;

    /// <summary>What is asked of the wallet below this path has no effect, and no answer.</summary>
    public string? DeafFor { get; set; }

    /// <summary>What is asked of the wallet below this path has its effect, but its answer is lost.</summary>
    public string? MuteFor { get; set; }

    public async Task InitializeAsync()
    {
        await Wallet.InitializeAsync();
        Giftcard = new GiftcardApi { Books = Wallet.Books };
        await Giftcard.InitializeAsync();
        foreach (var path in Paths)
        {
            Giftcard.Sidecar.OnInvoke("wallet", path, PassAsync);
        }

        Giftcard.Sidecar.OnInvoke("wallet", "internal/points_liability", PassAsync);
    }

    public async Task DisposeAsync()
    {
        await Giftcard.DisposeAsync();
        await Wallet.DisposeAsync();
    }

    /// <summary>A new merchant with keys for both halves.</summary>
    public Shop NewShop(bool live = false)
    {
        var (merchant, key) = Giftcard.NewMerchant(live);
        return new(this, merchant, key, Wallet.KeyOf(merchant, live));
    }

    private async Task<IResult> PassAsync(HttpRequest request)
    {
        var path = request.Path.Value!.Split("/method/")[1] + request.QueryString;
        if (DeafFor is { } deaf && path.Contains(deaf, StringComparison.Ordinal))
        {
            return Results.StatusCode(503);
        }

        using var message = new HttpRequestMessage(new HttpMethod(request.Method), $"/{path}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (HttpMethods.IsPost(request.Method))
        {
            message.Content = new StreamContent(request.Body);
            message.Content.Headers.TryAddWithoutValidation("Content-Type", request.ContentType);
        }

        using var answer = await Wallet.Service.App.SendAsync(message);
        var text = await answer.Content.ReadAsStringAsync();
        return MuteFor is { } mute && path.Contains(mute, StringComparison.Ordinal)
            ? Results.StatusCode(503)
            : Results.Text(text, answer.Content.Headers.ContentType?.ToString(), statusCode: (int)answer.StatusCode);
    }

    /// <summary>A merchant that sells cards and gives points.</summary>
    public sealed record Shop(PointsApi Api, MerchantId Merchant, string Key, string LoyaltyKey)
    {
        /// <summary>Somebody with so many points, worth a cent each but for what the programme says.</summary>
        public async Task<string> MemberAsync(long points, object? program = null)
        {
            var member = await Api.Wallet.MemberAsync(LoyaltyKey, await Api.Wallet.ProgramAsync(LoyaltyKey, program));
            if (points > 0)
            {
                await GiveAsync(member, points);
            }

            return member;
        }

        public Task GiveAsync(string member, long points) =>
            Api.Wallet.PostAsync(LoyaltyKey, $"/v1/members/{member}/adjust", new { points, reason = "a present" }, 201);

        public Task<(string Id, string Code)> CardAsync(long amount) => Api.Giftcard.SellAsync(amount, key: Key);

        public Task<JsonElement> RedeemAsync(
            long amount,
            IReadOnlyList<object> sources,
            int status = 201,
            string mode = "immediate",
            string? partial = null,
            string? key = null
        ) =>
            Api.Giftcard.PostAsync(
                "/v1/redemptions",
                new
                {
                    mode,
                    amount = GiftcardApi.Eur(amount),
                    sources,
                    partial,
                },
                status,
                key,
                Key
            );

        public Task<JsonElement> AskAsync(string path, object? body = null, int status = 200) =>
            Api.Giftcard.PostAsync(path, body, status, key: Key);

        public async Task<JsonElement> BalanceAsync(string member)
        {
            await Api.Wallet.EverythingIsBookedAsync(Merchant);
            return await Api.Wallet.GetAsync(LoyaltyKey, $"/v1/members/{member}/balance");
        }

        /// <summary>
        /// Waits until the member may spend so much and so much is held: what a busy machine has not told the wallet at
        /// once is told by the sweeper. The books must say the same.
        /// </summary>
        public async Task HasAsync(string member, long available, long held)
        {
            var last = default(JsonElement);
            await Eventually.TrueAsync(
                async () =>
                {
                    last = await BalanceAsync(member);
                    return last.GetProperty("available").GetInt64() == available
                        && last.GetProperty("held").GetInt64() == held;
                },
                TimeSpan.FromSeconds(30),
                () => $"{available} and {held} held were expected: {last}\n{Api.Giftcard.Service.Output}"
            );
            Assert.Equal(available, await BookedAsync($"member:{member}:points"));
            Assert.Equal(held, await BookedAsync($"member:{member}:held"));
        }

        public Task<long> BookedAsync(string account) => Api.Wallet.BookedAsync(Merchant, account);
    }
}
