using LocalPlus.Giftcard.Cards;
using LocalPlus.Kernel;

namespace LocalPlus.Tests.Unit.Giftcard;

public sealed class CardCodeTests
{
    [Fact]
    public void A_new_code_is_well_formed_and_never_the_same()
    {
        var codes = Enumerable.Range(0, 1000).Select(_ => CardCode.New()).ToList();
        Assert.All(codes, code => Assert.True(CardCode.IsWellFormed(code)));
        Assert.Equal(codes.Count, codes.Distinct().Count());
        Assert.All(codes, code => Assert.Equal(CardCode.Length, code.Length));
    }

    [Fact]
    public void Every_single_wrong_character_is_noticed()
    {
        var code = CardCode.New();
        for (var position = 0; position < code.Length; position++)
        {
            for (var digit = 0; digit < 32; digit++)
            {
                var other = char.ToUpperInvariant(Base32.Character(digit));
                var typo = code[..position] + other + code[(position + 1)..];
                Assert.Equal(other == code[position], CardCode.IsWellFormed(typo));
            }
        }
    }

    [Fact]
    public void Every_swap_of_two_different_characters_is_noticed()
    {
        var code = CardCode.New();
        for (var i = 0; i < code.Length; i++)
        {
            for (var j = i + 1; j < code.Length; j++)
            {
                var swapped = code.ToCharArray();
                (swapped[i], swapped[j]) = (swapped[j], swapped[i]);
                Assert.Equal(code[i] == code[j], CardCode.IsWellFormed(new string(swapped)));
            }
        }
    }

    [Theory]
    [InlineData("abcd-efgh jkmn-pqrs", "ABCDEFGHJKMNPQRS")]
    [InlineData("oOiIlL", "001111")]
    [InlineData("\tabcd\u00A0efgh\u2013jkmn\u2011pqrs\r\n", "ABCDEFGHJKMNPQRS")]
    [InlineData("\uFEFFab\u200Bcd\u3000\uFF21\uFF22\uFF0D\uFF10\u2212x_y", "ABCDAB0XY")]
    public void What_is_typed_is_read_as_it_was_meant(string typed, string read) =>
        Assert.Equal(read, CardCode.Normalise(typed));

    [Theory]
    [InlineData("")]
    [InlineData("ABC")]
    [InlineData("ABCDEFGHJKMNPQRSABCD")]
    [InlineData("ABCDEFGHJKMNPQR!")]
    public void Anything_else_is_not_well_formed(string text) => Assert.False(CardCode.IsWellFormed(text));

    [Fact]
    public void The_hash_needs_the_pepper_and_the_seal_its_card()
    {
        var one = new CardSecrets(new string('a', 32));
        var other = new CardSecrets(new string('b', 32));
        Assert.NotEqual(one.HashCode("ABCD"), other.HashCode("ABCD"));
        Assert.Equal(one.HashCode("ABCD"), one.HashCode("ABCD"));

        var card = GiftCardId.New(TimeProvider.System);
        var sealedText = one.Seal("ABCD", card);
        Assert.Equal("ABCD", one.Open(sealedText, card));
        Assert.ThrowsAny<System.Security.Cryptography.CryptographicException>(() =>
            one.Open(sealedText, GiftCardId.New(TimeProvider.System))
        );
        Assert.Throws<InvalidOperationException>(() => new CardSecrets("short"));
    }

    [Fact]
    public void Of_several_peppers_the_first_makes_and_all_find()
    {
        var old = new CardSecrets(new string('a', 32));
        var both = new CardSecrets($"{new string('b', 32)},{new string('a', 32)}");
        var card = GiftCardId.New(TimeProvider.System);
        var salt = CardSecrets.NewSalt();

        Assert.NotEqual(old.HashCode("ABCD"), both.HashCode("ABCD"));
        Assert.Contains(both.HashesOfCode("ABCD"), hash => hash.AsSpan().SequenceEqual(old.HashCode("ABCD")));
        Assert.Contains(both.HashesOfPin("1234", salt), hash => hash.AsSpan().SequenceEqual(old.HashPin("1234", salt)));
        Assert.Equal("ABCD", both.Open(old.Seal("ABCD", card), card));
        Assert.Equal("ABCD", both.Open(both.Seal("ABCD", card), card));
        Assert.ThrowsAny<System.Security.Cryptography.CryptographicException>(() =>
            old.Open(both.Seal("ABCD", card), card)
        );
    }
}
