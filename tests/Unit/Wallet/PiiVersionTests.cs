using System.Security.Cryptography;
using System.Text;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Keys;

namespace LocalPlus.Tests.Unit.Wallet;

public sealed class PiiVersionTests
{
    private static readonly MerchantId Bakery = new(Guid.Parse("0197c0de-0000-7000-8000-0000000000b1"));
    private static readonly MerchantId Florist = new(Guid.Parse("0197c0de-0000-7000-8000-0000000000f1"));
    private static readonly ProgramId Points = new(Guid.Parse("0197c0de-0000-7000-8000-0000000000c1"));
    private static readonly PiiKey[] Keys =
    [
        new(new string('a', 40)),
        new(new string('b', 40)),
        new(new string('c', 40)),
    ];
    private static readonly byte[][] Links =
    [
        Keys[0].FirstLookup,
        [.. Enumerable.Repeat((byte)2, 32)],
        [.. Enumerable.Repeat((byte)3, 32)],
    ];

    [Fact]
    public void The_lookup_ignores_case_and_separates_merchants()
    {
        var lookup = Email(1, "Anna@Example.test");

        Assert.Equal(32, lookup.Length);
        Assert.Equal(lookup, Email(1, "anna@example.TEST"));
        Assert.NotEqual(lookup, Version(1).Email(Florist, "anna@example.test")!.Newest);
        Assert.NotEqual(lookup, Email(1, "anna+1@example.test"));
        Assert.Null(Version(1).Email(Bakery, "no address"));
        Assert.Null(Version(1).Phone(Bakery, "no number"));
    }

    [Fact]
    public void What_was_written_before_there_were_versions_is_found_as_it_was()
    {
        // HMAC-SHA256 of merchant and address under what HKDF derives from the key: what the releases before wrote.
        var key = HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            Encoding.UTF8.GetBytes(new string('a', 40)),
            32,
            info: "localplus.wallet.lookup"u8.ToArray()
        );
        var written = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{Bakery}\nanna@example.test"));

        Assert.Equal(written, Email(1, "anna@example.test"));
        Assert.Contains(Version(3).Email(Bakery, "anna@example.test")!.Before, before => before.SequenceEqual(written));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_stored_hash_becomes_what_the_newest_version_makes_of_the_text_itself(int from)
    {
        Lookup[] now =
        [
            Version(3).Email(Bakery, "a@b.test")!,
            Version(3).Phone(Bakery, "+33123456789")!,
            Version(3).Voucher(Points, "CODE"),
        ];
        Lookup[] then =
        [
            Version(from).Email(Bakery, "a@b.test")!,
            Version(from).Phone(Bakery, "+33123456789")!,
            Version(from).Voucher(Points, "CODE"),
        ];
        foreach (var (newest, old) in now.Zip(then))
        {
            Assert.Equal(newest.Newest, Version(3).Advance(old.Newest));
            Assert.Contains(newest.All, hash => hash.SequenceEqual(old.Newest));
            Assert.Equal(3, newest.Newest[^1]);
            Assert.Equal(33, newest.Newest.Length);
        }
    }

    [Fact]
    public void Versions_of_which_nothing_is_left_are_not_looked_for()
    {
        Assert.Equal(2, Version(3).Email(Bakery, "a@b.test")!.Before.Length);
        var alone = new PiiVersion(Keys[2], Links, oldest: 3).Email(Bakery, "a@b.test")!;
        Assert.Empty(alone.Before);
        Assert.Equal(Email(3, "a@b.test"), alone.Newest);
        Assert.Single(new PiiVersion(Keys[2], Links, oldest: 2).Email(Bakery, "a@b.test")!.Before);
    }

    [Fact]
    public void What_a_version_hashes_with_opens_for_that_version_and_by_the_key_that_wrapped_it()
    {
        var wrapped = Keys[1].WrapLookup(2, Links[1]);

        Assert.Equal(60, wrapped.Length);
        Assert.Equal(Links[1], Keys[1].UnwrapLookup(2, wrapped));
        Assert.Null(Keys[1].UnwrapLookup(1, wrapped));
        Assert.Null(Keys[0].UnwrapLookup(2, wrapped));
    }

    [Fact]
    public void A_list_that_lacks_a_needed_key_leaves_the_keys_of_before()
    {
        var (a, b, c) = (new string('a', 40), new string('b', 40), new string('c', 40));
        var ring = new PiiKeyring($"{a},{b}");
        ring.Need([Keys[0].Id, Keys[1].Id]);

        Assert.Throws<InvalidOperationException>(() => ring.Take(a));
        Assert.Equal(2, ring.Keys.Count);
        ring.Take($"{c}, {b}, {a}");
        Assert.True(ring.First.Is(Keys[2].Id));
        Assert.NotNull(ring.Find(Keys[0].Id));
    }

    private static PiiVersion Version(int number) => new(Keys[number - 1], Links[..number], PiiVersion.First);

    private static byte[] Email(int version, string email) => Version(version).Email(Bakery, email)!.Newest;
}
