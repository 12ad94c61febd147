using System.Net;
using System.Text;
using Dapr.Client;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace LocalPlus.Tests.Integration.Identity;

public sealed class KeyVerdictTests : IDisposable
{
    private const string Refusal = """{"code":"api_key_invalid"}""";
    private static readonly string Good = Key('g');
    private readonly Merchant merchant = new();
    private readonly TurnedTime time = new();
    private readonly DaprClient nobody = new DaprClientBuilder().UseGrpcEndpoint("http://127.0.0.1:1").Build();
    private readonly RemoteApiKeyVerifier verifier;
    private readonly KeyRulings rulings;

    public KeyVerdictTests()
    {
        var secrets = new Dictionary<string, string?> { ["Secrets:fingerprint_keys"] = $"1:{new string('f', 40)}" };
        var shared = new SharedVerdicts(
            new DaprStateCache(nobody, time),
            new FingerprintKeys(new ConfigurationBuilder().AddInMemoryCollection(secrets).Build()),
            new ServiceIdentity("hosting", typeof(KeyVerdictTests).Assembly),
            time,
            NullLogger<SharedVerdicts>.Instance
        );
        rulings = new KeyRulings(shared, time);
        verifier = new RemoteApiKeyVerifier(
            new HttpClient(merchant) { BaseAddress = new Uri("http://merchant") },
            shared,
            rulings,
            time,
            NullLogger<RemoteApiKeyVerifier>.Instance
        );
    }

    public void Dispose()
    {
        verifier.Dispose();
        nobody.Dispose();
        merchant.Dispose();
    }

    [Theory]
    [InlineData(401, "invalid api token")]
    [InlineData(401, Refusal)]
    [InlineData(403, """{"errorCode":"ERR_PERMISSION_DENIED"}""")]
    [InlineData(404, "")]
    [InlineData(404, "<html>")]
    [InlineData(404, """{"code":"not_found","instance":"/internal/api_keys/verify"}""")]
    [InlineData(404, """{"errorCode":"ERR_DIRECT_INVOKE","message":"failed getting app id"}""")]
    [InlineData(404, "[]")]
    [InlineData(200, "")]
    [InlineData(200, "{}")]
    [InlineData(200, "null")]
    [InlineData(200, """{"merchant_id":"mrc_00000000000000000000000000","scopes":[]}""")]
    [InlineData(204, "")]
    [InlineData(302, Refusal)]
    [InlineData(429, Refusal)]
    [InlineData(500, Refusal)]
    public async Task Fault_13_what_is_not_merchants_own_word_is_no_verdict(int status, string body)
    {
        merchant.Answer = _ => (status, body);

        var fault = await Assert.ThrowsAsync<FaultException>(() => verifier.VerifyAsync(Good, null, default).AsTask());
        Assert.Equal(CommonFaults.Busy, fault.Fault);

        // And it is not remembered as one.
        merchant.Answer = _ => (200, Identity);
        Assert.NotNull(await verifier.VerifyAsync(Good, null, default));
    }

    [Fact]
    public async Task Fault_13_merchants_refusal_is_a_verdict_and_is_remembered()
    {
        merchant.Answer = _ => (404, Refusal);

        Assert.Null(await verifier.VerifyAsync(Good, null, default));
        Assert.Null(await verifier.VerifyAsync(Good, null, default));

        Assert.Equal(1, merchant.Asked);
    }

    [Fact]
    public async Task Fault_14_strangers_keys_push_out_no_known_key_and_not_its_grace()
    {
        merchant.Answer = key => key == Good ? (200, Identity) : (404, Refusal);
        Assert.NotNull(await verifier.VerifyAsync(Good, null, default));
        for (var i = 0; i < KnownKeys.MaxKeys * 2; i++)
        {
            Assert.Null(await verifier.VerifyAsync($"lp_test_{i}", null, default));
        }

        merchant.Answer = _ => (503, "");
        time.Turn(RemoteApiKeyVerifier.Lifetime);

        Assert.NotNull(await verifier.VerifyAsync(Good, null, default));
        time.Turn(RemoteApiKeyVerifier.StaleLifetime);
        await Assert.ThrowsAsync<FaultException>(() => verifier.VerifyAsync(Good, null, default).AsTask());
    }

    [Fact]
    public async Task Fault_14_a_revoked_key_ends_within_five_seconds_whatever_strangers_do()
    {
        merchant.Answer = _ => (200, Identity);
        Assert.NotNull(await verifier.VerifyAsync(Good, null, default));
        merchant.Answer = _ => (404, Refusal);
        time.Turn(RemoteApiKeyVerifier.Lifetime);

        Assert.Null(await verifier.VerifyAsync(Good, null, default));
        merchant.Answer = _ => (503, "");
        // A refusal has no grace: what merchant refused last stays refused until it says otherwise.
        time.Turn(RemoteApiKeyVerifier.Lifetime);
        await Assert.ThrowsAsync<FaultException>(() => verifier.VerifyAsync(Good, null, default).AsTask());
    }

    [Fact]
    public async Task Fault_14_known_keys_do_not_wait_for_a_merchant_that_says_nothing()
    {
        merchant.Answer = _ => (200, Identity);
        Assert.NotNull(await verifier.VerifyAsync(Good, null, default));
        merchant.Answer = _ => (503, "");
        time.Turn(RemoteApiKeyVerifier.Lifetime);
        await verifier.VerifyAsync(Good, null, default);
        var asked = merchant.Asked;

        for (var i = 0; i < 100; i++)
        {
            Assert.NotNull(await verifier.VerifyAsync(Good, null, default));
        }

        Assert.Equal(asked, merchant.Asked);
    }

    [Fact]
    public async Task A_key_whose_end_was_told_is_refused_while_merchant_says_nothing_and_merchant_s_own_word_holds()
    {
        merchant.Answer = _ => (200, Identity);
        var known = (await verifier.VerifyAsync(Good, null, default))!;
        merchant.Answer = _ => (503, "");

        await rulings.HearAsync(KeyNews.Ended(known.KeyId, TimeProvider.System.GetUtcNow()));

        Assert.Null(await verifier.VerifyAsync(Good, null, default));
        // Whoever told it was not merchant: a key that merchant calls good is good.
        merchant.Answer = _ => (200, Identity);
        time.Turn(TimeSpan.FromSeconds(1));
        Assert.NotNull(await verifier.VerifyAsync(Good, null, default));
    }

    [Fact]
    public async Task A_key_that_was_rotated_ends_when_it_was_told_to_and_not_before()
    {
        merchant.Answer = _ => (200, Identity);
        var known = (await verifier.VerifyAsync(Good, null, default))!;
        merchant.Answer = _ => (503, "");

        await rulings.HearAsync(KeyNews.Ended(known.KeyId, TimeProvider.System.GetUtcNow().AddHours(1)));
        Assert.NotNull(await verifier.VerifyAsync(Good, null, default));

        // Revoked, and the news of the rotation come once more.
        await rulings.HearAsync(KeyNews.Ended(known.KeyId, TimeProvider.System.GetUtcNow()));
        await rulings.HearAsync(KeyNews.Ended(known.KeyId, TimeProvider.System.GetUtcNow().AddHours(1)));
        Assert.Null(await verifier.VerifyAsync(Good, null, default));
    }

    [Fact]
    public async Task A_suspended_merchant_is_one_while_nobody_can_be_asked()
    {
        merchant.Answer = _ => (200, Identity);
        var known = (await verifier.VerifyAsync(Good, null, default))!;
        merchant.Answer = _ => (503, "");

        await rulings.HearAsync(KeyNews.Changed(known.MerchantId, MerchantStatus.Suspended));

        Assert.Equal(MerchantStatus.Suspended, (await verifier.VerifyAsync(Good, null, default))!.Status);
        // News give nothing that was not there.
        await rulings.HearAsync(KeyNews.Changed(known.MerchantId, MerchantStatus.Active));
        Assert.Equal(known.Status, (await verifier.VerifyAsync(Good, null, default))!.Status);
    }

    [Fact]
    public async Task A_key_that_ends_by_itself_ends_while_nobody_can_be_asked()
    {
        var ended = TimeProvider.System.GetUtcNow().AddMilliseconds(-1);
        merchant.Answer = _ => (200, $$"""{{Identity[..^1]}},"expires_at":"{{ended:O}}"}""");
        Assert.Null(await verifier.VerifyAsync(Good, null, default));
        merchant.Answer = _ => (503, "");

        Assert.Null(await verifier.VerifyAsync(Good, null, default));
    }

    [Fact]
    public async Task Who_asks_for_one_key_at_once_shares_one_call()
    {
        var (many, hold) = (50, new TaskCompletionSource());
        (merchant.Hold, merchant.Answer) = (hold.Task, _ => (200, Identity));

        var asking = Enumerable
            .Range(0, many)
            .Select(_ => verifier.VerifyAsync(Good, null, default).AsTask())
            .ToArray();
        hold.SetResult();

        Assert.Single((await Task.WhenAll(asking)).Distinct());
        Assert.Equal(1, merchant.Asked);
    }

    [Theory]
    [InlineData("lp_test_")]
    [InlineData("lp_test_short")]
    [InlineData("lp_live_00000000000000000000000000ssssssssssssssssssssssssssssssss0")]
    [InlineData("lp_live_u0000000000000000000000000ssssssssssssssssssssssssssssssss")]
    [InlineData("lp_live_00000000000000000000000000SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS")]
    [InlineData("lp_dead_00000000000000000000000000ssssssssssssssssssssssssssssssss")]
    public void Fault_14_a_text_of_another_form_is_nobodys_key(string text) =>
        Assert.False(ApiKeyForm.TryParse(text, out _, out _));

    private static string Identity { get; } =
        $$"""{"merchant_id":"{{MerchantId.New(TimeProvider.System)}}","key_id":"{{ApiKeyId.New(TimeProvider.System)}}","live":false,"scopes":["a"]}""";

    private static string Key(char c) => $"lp_test_{new string('0', 26)}{new string(c, 32)}";

    private sealed class Merchant : HttpMessageHandler
    {
        public Func<string, (int Status, string Body)> Answer { get; set; } = _ => (500, "");

        public int Asked { get; private set; }

        /// <summary>What merchant waits for before it answers.</summary>
        public Task Hold { get; set; } = Task.CompletedTask;

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            Asked++;
            await Hold;
            var body = await request.Content!.ReadAsStringAsync(cancellationToken);
            var (status, answer) = Answer(
                System.Text.Json.JsonDocument.Parse(body).RootElement.GetProperty("key").GetString()!
            );
            return new HttpResponseMessage((HttpStatusCode)status)
            {
                Content = new StringContent(answer, Encoding.UTF8, "application/json"),
            };
        }
    }

    private sealed class TurnedTime : TimeProvider
    {
        private long now = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => now;

        public void Turn(TimeSpan by) => now += by.Ticks;
    }
}
