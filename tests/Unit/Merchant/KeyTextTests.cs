using LocalPlus.Kernel;
using LocalPlus.Merchant.Keys;

namespace LocalPlus.Tests.Unit.Merchant;

public sealed class KeyTextTests
{
    private static readonly ApiKeyId Id = new(Guid.Parse("0197c0de-0000-7000-8000-000000000001"));

    [Theory]
    [InlineData(false, "lp_test_")]
    [InlineData(true, "lp_live_")]
    public void A_new_key_reads_back_as_itself(bool live, string prefix)
    {
        var key = KeyText.New(Id, live);

        Assert.StartsWith(prefix, key.Text, StringComparison.Ordinal);
        Assert.Equal(66, key.Text.Length);
        Assert.True(KeyText.TryParse(key.Text, out var read));
        Assert.Equal(Id, read.Id);
        Assert.Equal(live, read.Live);
    }

    [Fact]
    public void Two_keys_of_one_id_have_different_secrets() =>
        Assert.NotEqual(KeyText.New(Id, live: false).Text, KeyText.New(Id, live: false).Text);

    [Fact]
    public void The_text_is_not_printed_by_accident() =>
        Assert.Equal(Id.ToString(), KeyText.New(Id, live: true).ToString());

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("lp_test_")]
    [InlineData("sk_test_01jz0dw00071r8000000000001abcdefghjkmnpqrstvwxyz0123456789")]
    [InlineData("lp_test_01jz0dw00071r8000000000001ABCDEFGHJKMNPQRSTVWXYZ0123456789")]
    [InlineData("lp_test_u1jz0dw00071r8000000000001abcdefghjkmnpqrstvwxyz0123456789")]
    [InlineData("lp_test_01jz0dw00071r8000000000001abcdefghjkmnpqrstvwxyz012345678")]
    public void Text_that_can_not_be_a_key_is_refused(string? text) => Assert.False(KeyText.TryParse(text, out _));

    [Fact]
    public void Only_the_whole_text_matches_its_hash()
    {
        var hasher = new KeyHasher(new string('p', 32));
        var key = KeyText.New(Id, live: false);
        var hash = hasher.Hash(key);
        Assert.True(
            KeyText.TryParse(key.Text.Replace("lp_test_", "lp_live_", StringComparison.Ordinal), out var otherMode)
        );

        Assert.True(hasher.Matches(key, hash));
        Assert.False(hasher.Matches(otherMode, hash));
        Assert.False(hasher.Matches(KeyText.New(Id, live: false), hash));
        Assert.False(hasher.Matches(key, stored: null));
        Assert.False(new KeyHasher(new string('q', 32)).Matches(key, hash));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("short")]
    public void A_weak_pepper_stops_the_start(string? pepper) =>
        Assert.Throws<InvalidOperationException>(() => new KeyHasher(pepper));
}
