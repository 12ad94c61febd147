using LocalPlus.Kernel;
using LocalPlus.Notification.Readers;

namespace LocalPlus.Tests.Unit.Notification;

public sealed class ReaderTests
{
    private static readonly AddressHashes Hashes = new(new string('k', 40));
    private static readonly MerchantId Shop = new(Guid.Parse("01900000-0000-7000-8000-000000000001"));
    private static readonly CustomerId Anna = new(Guid.Parse("01900000-0000-7000-8000-000000000002"));

    [Theory]
    [InlineData("2026-07-01T19:59:59Z", "Europe/Paris", null)]
    [InlineData("2026-07-01T20:00:00Z", "Europe/Paris", "2026-07-02T06:00:00Z")]
    [InlineData("2026-07-01T22:30:00Z", "Europe/Paris", "2026-07-02T06:00:00Z")]
    [InlineData("2026-07-02T05:59:59Z", "Europe/Paris", "2026-07-02T06:00:00Z")]
    [InlineData("2026-07-02T06:00:00Z", "Europe/Paris", null)]
    [InlineData("2026-07-02T02:00:00Z", "America/New_York", "2026-07-02T12:00:00Z")]
    // The clocks go back in that night, and forward in this one.
    [InlineData("2026-10-24T22:00:00Z", "Europe/Paris", "2026-10-25T07:00:00Z")]
    [InlineData("2026-03-28T22:00:00Z", "Europe/Paris", "2026-03-29T06:00:00Z")]
    public void Quiet_hours_go_over_midnight_in_the_reader_s_zone(string now, string zone, string? end) =>
        Assert.Equal(
            end is null ? null : DateTimeOffset.Parse(end, null),
            new QuietHours(new(22, 0), new(8, 0)).EndAt(
                DateTimeOffset.Parse(now, null),
                TimeZoneInfo.FindSystemTimeZoneById(zone)
            )
        );

    [Fact]
    public void Quiet_hours_that_end_in_an_hour_that_the_clocks_leave_out_end_after_it() =>
        Assert.Equal(
            new DateTimeOffset(2026, 3, 29, 1, 0, 0, TimeSpan.Zero),
            new QuietHours(new(22, 0), new(2, 30)).EndAt(
                new DateTimeOffset(2026, 3, 28, 23, 0, 0, TimeSpan.Zero),
                TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris")
            )
        );

    [Fact]
    public void Quiet_hours_within_a_day_and_of_no_length_are_what_they_say()
    {
        var noon = new DateTimeOffset(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

        Assert.Equal(noon.AddHours(1), new QuietHours(new(11, 0), new(13, 0)).EndAt(noon, TimeZoneInfo.Utc));
        Assert.Null(new QuietHours(new(12, 0), new(12, 0)).EndAt(noon, TimeZoneInfo.Utc));
    }

    [Fact]
    public void A_token_says_who_wants_no_more_of_what_and_no_other_does()
    {
        var tokens = new UnsubscribeTokens(Hashes, new Uri("https://api.test"));
        var wish = new Unsubscription(Shop, Anna, Hashes.Of(Shop, "mail", "anna@example.test"), "redemption_completed");
        var token = tokens.Write(wish);

        Assert.True(tokens.TryRead(token, out var read));
        Assert.Equal((wish.MerchantId, wish.CustomerId, wish.Kind), (read.MerchantId, read.CustomerId, read.Kind));
        Assert.Equal(wish.AddressHash, read.AddressHash);
        Assert.StartsWith("https://api.test/unsubscribe/", tokens.LinkOf(wish).AbsoluteUri, StringComparison.Ordinal);
        Assert.All(
            Enumerable.Range(0, token.Length),
            at =>
            {
                var other = token[at] == 'A' ? 'B' : 'A';
                Assert.False(tokens.TryRead($"{token[..at]}{other}{token[(at + 1)..]}", out _));
            }
        );
        Assert.All(
            ["", "x", "a b", token[..^1], token + "A", new string('A', 5000)],
            t => Assert.False(tokens.TryRead(t, out _))
        );
        Assert.False(
            new UnsubscribeTokens(new AddressHashes(new string('j', 40)), new Uri("https://api.test")).TryRead(
                token,
                out _
            )
        );
    }

    [Fact]
    public void A_hash_is_of_one_merchant_and_channel_and_of_an_address_however_it_is_spelt()
    {
        var hash = Hashes.Of(Shop, "mail", "Anna@Example.test");

        Assert.Equal(hash, Hashes.Of(Shop, "mail", "anna@example.test"));
        Assert.NotEqual(hash, Hashes.Of(Shop, "sms", "anna@example.test"));
        Assert.NotEqual(hash, Hashes.Of(new(Guid.Empty), "mail", "anna@example.test"));
        Assert.NotEqual(hash, new AddressHashes(new string('j', 40)).Of(Shop, "mail", "anna@example.test"));
        Assert.Throws<InvalidOperationException>(() => new AddressHashes("short"));
    }

    [Fact]
    public void The_next_key_hashes_and_signs_and_the_one_of_before_is_still_known()
    {
        var (before, next) = (new string('j', 40), new string('n', 40));
        var (old, both) = (new AddressHashes(before), new AddressHashes($"{next}, {before}"));
        var id = new byte[16];

        Assert.Equal(new AddressHashes(next).Of(Shop, "mail", "a@b.test"), both.Of(Shop, "mail", "a@b.test"));
        Assert.Equal([old.Of(Shop, "mail", "a@b.test")], both.BeforeOf(Shop, "mail", "a@b.test"));
        Assert.Empty(old.BeforeOf(Shop, "mail", "a@b.test"));
        Assert.True(both.IsSigned(id, old.Sign(id).AsSpan(0, 16)));
        Assert.True(both.IsSigned(id, both.Sign(id).AsSpan(0, 16)));
        Assert.False(old.IsSigned(id, both.Sign(id).AsSpan(0, 16)));
        Assert.True(both.IsProof(id, old.ProveSent(id)));
        Assert.False(old.IsProof(id, both.ProveSent(id)));
        Assert.Throws<InvalidOperationException>(() => new AddressHashes($"{next},short"));
    }

    [Theory]
    [InlineData("+33 6 12 34 56 78", null, "+33612345678")]
    [InlineData("06 12 34 56 78", "FR", "+33612345678")]
    [InlineData("(202) 555-0143", "US", "+12025550143")]
    [InlineData("06 12 34 56 78", null, null)]
    [InlineData("01 42 68 53 00", "FR", null)]
    [InlineData("0800 123 456", "FR", null)]
    [InlineData("call me", "FR", null)]
    [InlineData("", "FR", null)]
    [InlineData(null, "FR", null)]
    public void A_number_takes_sms_where_its_country_says_so(string? text, string? country, string? number) =>
        Assert.Equal(number, SmsNumbers.Normalize(text, country));

    [Fact]
    public void A_masked_number_tells_its_country_and_two_digits() =>
        Assert.Equal("+33***78", SmsNumbers.Mask("+33612345678"));

    [Fact]
    public void A_limit_s_window_starts_at_a_multiple_of_its_length()
    {
        var time = new DateTimeOffset(2026, 7, 1, 12, 34, 56, TimeSpan.Zero);

        Assert.Equal(new DateTimeOffset(2026, 7, 1, 12, 0, 0, TimeSpan.Zero), ReaderLimits.Merchant.StartOf(time));
        Assert.Equal(new DateTimeOffset(2026, 7, 1, 0, 0, 0, TimeSpan.Zero), ReaderLimits.Recipient.StartOf(time));
    }
}
