#!/usr/bin/perl
# Serves and probes in the network namespace where it is started. Perl, because Node has no raw sockets, and Debian is never
# without perl-base. A command is a line on standard input; its answer is lines on standard output, the last one ".".
#
#   send TOKEN TARGET...    sends one probe to each; a target is PROTOCOL:PORT:ADDRESS, of icmp with the port 0
#   answers                 ends the probes: "TARGET WORD" each, and the word is answered, refused, unroutable or nothing
#   stream TOKEN TARGET...  sends to each every 100 ms, until "stream" without any
#   arrivals FIRST LAST     what was delivered here since the last time with these tokens:
#                           "PROTOCOL PORT SOURCE TOKEN DESTINATION COUNT" each
#
# The token says who sent a probe, and when: it is the source port, of icmp the id, and part of no address. Arrivals are seen
# by raw sockets, which the kernel serves behind its filters, whether an answer gets back or not.
use strict;
use warnings;
BEGIN { push @INC, __FILE__ =~ m{^(.*)/} ? "$1/../support" : './../support' }
use Agent;
use Errno qw(ECONNRESET EINPROGRESS ENETUNREACH EHOSTUNREACH);
use Socket qw(:DEFAULT :addrinfo IPPROTO_TCP IPPROTO_UDP IPPROTO_ICMP IPPROTO_ICMPV6 IPPROTO_IP IPPROTO_IPV6 IPV6_V6ONLY IN6ADDR_ANY inet_pton inet_ntop);

# Numbers of Linux: include/uapi/asm-generic/socket.h, include/uapi/linux/in.h and in6.h.
use constant { SO_RCVBUFFORCE => 33, IP_RECVERR => 11, IPV6_RECVERR => 25 };
use constant { TICK_S => 0.1, QUEUE_BYTES => 64 << 20 };
my @PORTS = (7400, 53);
my %FAMILIES = (4 => AF_INET, 6 => AF_INET6);
my %NUMBERS = (tcp => IPPROTO_TCP, udp => IPPROTO_UDP);

$| = 1;
my (%readers, %writers);    # by file number: what to do
my (%arrivals, %icmp);      # counts by line; raw sockets by family
my (@probes, @stream, @streamed, $stream_token);

open_family($_) for 4, 6;
$readers{0} = command_reader(\&obey);
print ".\n";
wait_once() while 1;

sub wait_once {
    my ($read, $write) = ('', '');
    vec($read, $_, 1) = 1 for keys %readers;
    vec($write, $_, 1) = 1 for keys %writers;
    my $count = select($read, $write, undef, @stream ? TICK_S : undef);
    if ($count > 0) {
        for my $fd (keys %readers) { $readers{$fd}->() if $readers{$fd} && vec($read, $fd, 1) }
        for my $fd (keys %writers) { $writers{$fd}->() if $writers{$fd} && vec($write, $fd, 1) }
    }
    tick() if @stream;
}

sub obey {
    my ($verb, $token, @targets) = @_;
    if ($verb eq 'send') { @probes = launch($token, @targets) }
    elsif ($verb eq 'answers') { print "$_->{target} $_->{word}\n" for @probes; end_probes(\@probes) }
    elsif ($verb eq 'arrivals') { hear_addresses6(); tell_arrivals($token, @targets) }
    elsif ($verb eq 'stream') { ($stream_token, @stream) = ($token, @targets); end_probes(\@streamed) }
    else { die "Cannot do \"$verb\"" }
}

sub tell_arrivals {
    my ($first, $last) = @_;
    my @told = grep { my $token = (split / /)[3]; $token >= $first && $token <= $last } sort keys %arrivals;
    print "$_ $arrivals{$_}\n" for @told;
    delete @arrivals{@told};
}

my $last_tick;
sub tick {
    # select gives the time that is left back to nobody; arrivals would make the ticks too many.
    my $now = clock_s();
    return if defined $last_tick && $now - $last_tick < TICK_S;
    $last_tick = $now;
    end_probes(\@streamed);
    @streamed = launch($stream_token, @stream);
}

# Serving ------------------------------------------------------------------------------------------------------------------

sub open_family {
    my ($family) = @_;
    my $domain = $FAMILIES{$family};
    my $icmp_number = $family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    $icmp{$family} = open_raw($domain, $icmp_number, sub { note_icmp($family, @_) }) or return;
    hear_addresses6() if $family == 6;
    open_raw($domain, $NUMBERS{$_}, noting($_)) for $family == 4 ? qw(tcp udp) : ();
    for my $port (@PORTS) {
        my $listener = open_server($domain, SOCK_STREAM, $port);
        listen($listener, 1024) or die "listen: $!";
        $readers{fileno $listener} = sub { my $caller; accept($caller, $listener) && reset_at_end($caller) };
        # What it hears is answered by note_segment, from the address that was asked. Read, so that it does not fill.
        my $sink = open_server($domain, SOCK_DGRAM, $port);
        $readers{fileno $sink} = sub { recv($sink, my $text, MOST_BYTES, 0) };
    }
}

sub open_raw {
    my ($domain, $number, $note) = @_;
    socket(my $raw, $domain, SOCK_RAW, $number) or return;
    setsockopt($raw, SOL_SOCKET, SO_RCVBUFFORCE, QUEUE_BYTES) or die "SO_RCVBUFFORCE: $!";
    $readers{fileno $raw} = sub {
        while (defined(my $from = recv($raw, my $packet, MOST_BYTES, MSG_DONTWAIT))) { $note->($packet, ip_of($from)) }
    };
    return $raw;
}

sub open_server {
    my ($domain, $type, $port) = @_;
    socket(my $socket, $domain, $type, 0) or die "socket: $!";
    setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1);
    setsockopt($socket, IPPROTO_IPV6, IPV6_V6ONLY, 1) if $domain == AF_INET6;
    bind($socket, any($domain, $port)) or die "bind $port: $!";
    return $socket;
}

# Raw sockets of IPv4 give the header too. Those of IPv6 do not: what came to an address is known by a socket that has it.
sub split_header {
    my ($packet) = @_;
    return (inet_ntop(AF_INET, substr($packet, 16, 4)), substr($packet, (ord($packet) & 15) * 4));
}

my %heard6;
sub hear_addresses6 {
    open(my $list, '<', '/proc/net/if_inet6') or return;
    while (my ($digits) = (<$list> // '') =~ /^(\S+)/) {
        my $to = inet_ntop(AF_INET6, pack 'H*', $digits);
        next if $heard6{$to} || $to =~ /^fe80:/;
        my @notes = (
            [IPPROTO_ICMPV6, sub { note_request(128, $_[0], $_[1], $to) }],
            map { my $note = noting($_); [$NUMBERS{$_}, sub { $note->(@_, $to) }] } qw(tcp udp),
        );
        my @raw = map { open_raw(AF_INET6, @$_) } @notes;
        # Not as long as the kernel is not sure of the address.
        my @bound = grep { bind($_, address($to, 0)) } @raw;
        $heard6{$to} = 1 if @bound == @raw;
        forget($_) for @bound == @raw ? () : @raw;
    }
}

sub forget {
    my ($socket) = @_;
    delete $readers{fileno $socket};
    delete $writers{fileno $socket};
    close $socket;
}

# With the destination where the packet has no header.
sub noting {
    my ($protocol) = @_;
    return sub {
        my ($packet, $from, $to) = @_;
        my $segment = $packet;
        ($to, $segment) = split_header($packet) unless defined $to;
        note_segment($protocol, $segment, $from, $to);
    };
}

sub note_segment {
    my ($protocol, $segment, $from, $to) = @_;
    my ($token, $port) = unpack 'nn', $segment;
    return unless grep { $_ == $port } @PORTS;
    # A call begins with SYN alone.
    return if $protocol eq 'tcp' && (ord(substr $segment, 13, 1) & 0x12) != 0x02;
    $arrivals{"$protocol $port $from $token $to"}++;
    answer_datagram($from, $token, $to, $port) if $protocol eq 'udp';
}

sub answer_datagram {
    my ($from, $token, $to, $port) = @_;
    my $socket = open_bound(domain($to), SOCK_DGRAM, $port, $to);
    connect($socket, address($from, $token)) and send($socket, 'answer', 0);
}

sub note_icmp {
    my ($family, $packet, $from) = @_;
    my ($to, $message) = $family == 4 ? split_header($packet) : (undef, $packet);
    note_request(8, $message, $from, $to) if $family == 4;
    my ($type, undef, undef, $id) = unpack 'CCnn', $message;
    my ($reply, $unreachable) = $family == 4 ? (0, 3) : (129, 1);
    note_word("icmp:0:$from", $id, 'answered') if $type == $reply;
    note_unreachable($family, substr $message, 8) if $type == $unreachable;
}

sub note_request {
    my ($request, $message, $from, $to) = @_;
    my ($type, undef, undef, $id) = unpack 'CCnn', $message;
    $arrivals{"icmp 0 $from $id $to"}++ if $type == $request;
}

# It carries the head of what could not be delivered.
sub note_unreachable {
    my ($family, $packet) = @_;
    return if length $packet < ($family == 4 ? 28 : 48);
    my $to = $family == 4 ? inet_ntop(AF_INET, substr $packet, 16, 4) : inet_ntop(AF_INET6, substr $packet, 24, 16);
    my $message = substr $packet, $family == 4 ? (ord($packet) & 15) * 4 : 40;
    note_word("icmp:0:$to", unpack('x4n', $message) // 0, 'refused');
}

sub note_word {
    my ($target, $token, $word) = @_;
    for (@probes) { $_->{word} = $word if $_->{target} eq $target && $_->{token} == $token && $_->{word} eq 'nothing' }
}

# Probing ------------------------------------------------------------------------------------------------------------------

sub launch {
    my ($token, @targets) = @_;
    my @launched = map { { target => $_, token => $token, word => 'nothing' } } @targets;
    # All are tied to their receivers before the first is sent: none hears the answers to another.
    connect_probe($_) for grep { $_->{target} !~ /^icmp/ } @launched;
    for (@launched) { $_->{target} =~ /^icmp/ ? send_echo($_) : $_->{target} =~ /^udp/ && send_datagram($_) }
    return @launched;
}

sub connect_probe {
    my ($probe) = @_;
    my ($protocol, $port, $to) = split /:/, $probe->{target}, 3;
    my $type = $protocol eq 'tcp' ? SOCK_STREAM : SOCK_DGRAM;
    my $socket = $probe->{socket} = open_bound(domain($to), $type, $probe->{token});
    $socket->blocking(0);
    # So that a datagram hears of hosts that are out of reach, not of closed ports only.
    my ($level, $option) = domain($to) == AF_INET ? (IPPROTO_IP, IP_RECVERR) : (IPPROTO_IPV6, IPV6_RECVERR);
    setsockopt($socket, $level, $option, 1);
    if (!connect($socket, address($to, $port)) && $! != EINPROGRESS) { return fail($probe) }
    my $heard = sub { hear($probe) };
    if ($protocol eq 'tcp') { reset_at_end($socket); $writers{fileno $socket} = $heard }
    else { $readers{fileno $socket} = $heard }
}

sub hear {
    my ($probe) = @_;
    my $socket = $probe->{socket};
    delete $writers{fileno $socket};
    delete $readers{fileno $socket};
    $! = unpack 'i', getsockopt($socket, SOL_SOCKET, SO_ERROR);
    # The receiver ends each connection at once.
    $probe->{word} = $! && $! != ECONNRESET ? 'refused' : 'answered';
}

sub fail {
    my ($probe) = @_;
    $probe->{word} = $! == ENETUNREACH || $! == EHOSTUNREACH ? 'unroutable' : "error ($!)";
}

sub send_datagram {
    my ($probe) = @_;
    defined send($probe->{socket}, 'probe', 0) or fail($probe) if $probe->{word} eq 'nothing';
}

# The kernel puts the checksum of ICMPv6 in.
sub send_echo {
    my ($probe) = @_;
    my $to = (split /:/, $probe->{target}, 3)[2];
    my $family = $to =~ /:/ ? 6 : 4;
    my $message = pack 'CCnnna*', $family == 4 ? 8 : 128, 0, 0, $probe->{token}, 1, 'probe---';
    substr($message, 2, 2) = pack 'n', checksum($message) if $family == 4;
    my $sent = $icmp{$family} && defined send($icmp{$family}, $message, 0, address($to, 0));
    fail($probe) unless $sent;
}

sub end_probes {
    my ($ended) = @_;
    forget($_->{socket}) for grep { $_->{socket} } @$ended;
    @$ended = ();
}

# Sockets ------------------------------------------------------------------------------------------------------------------

# Many share a port: each is tied to a receiver of its own.
sub open_bound {
    my ($domain, $type, $port, $address) = @_;
    socket(my $socket, $domain, $type, 0) or die "socket: $!";
    setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1);
    my $local = defined $address ? address($address, $port) : any($domain, $port);
    bind($socket, $local) or die "bind $port: $!";
    return $socket;
}

# No TIME_WAIT: the port is used again.
sub reset_at_end { setsockopt($_[0], SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0) }

sub any {
    my ($domain, $port) = @_;
    return $domain == AF_INET6 ? pack_sockaddr_in6($port, IN6ADDR_ANY) : pack_sockaddr_in($port, INADDR_ANY);
}

sub ip_of {
    my ($packed) = @_;
    return inet_ntop(AF_INET, (unpack_sockaddr_in($packed))[1]) if sockaddr_family($packed) == AF_INET;
    return inet_ntop(AF_INET6, (unpack_sockaddr_in6($packed))[1]);
}
