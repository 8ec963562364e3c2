#!/usr/bin/perl
# Keeps flows open in the network namespace where it is started: connections on which a number goes every 50 ms, and pings every
# 100 ms. One program for all flows of a container: many small ones would keep the machine busy. A command is a line on standard
# input; its answer is lines on standard output, the last one ".".
#
#   listen PORT [ADDRESS]   takes one connection, and numbers from it; by IPv4 without an address
#   connect PORT ADDRESS    sends numbers 1, 2, 3 ...
#   ping ADDRESS
#   report                  a line each: "received PORT COUNT STATE", and the state is whole, gap or ended;
#                           "sent PORT ADDRESS REPEATED STATE", with how many segments were sent again, and open or ended;
#                           "pinged ADDRESS SENT ANSWERED", without those of the last second
use strict;
use warnings;
BEGIN { push @INC, __FILE__ =~ m{^(.*)/} ? "$1" : '.' }
use Agent;
use Errno;
use Socket qw(:DEFAULT IPPROTO_TCP IPPROTO_ICMP TCP_NODELAY inet_pton inet_ntop);

# Linux: include/uapi/linux/tcp.h, where total_retrans lies 100 bytes from the start of struct tcp_info.
use constant { TCP_INFO => 11, TOTAL_RETRANS_AT => 100 };
use constant { TICK_S => 0.05, LATE_S => 1 };

$| = 1;
my (%readers, @received, @sent, @pinged);
my ($icmp, $ticks, $next_s) = (undef, 0, clock_s());
$readers{0} = command_reader(\&obey);
print ".\n";
while (1) {
    my $read = '';
    vec($read, $_, 1) = 1 for keys %readers;
    my $left_s = $next_s - clock_s();
    if (select($read, undef, undef, $left_s > 0 ? $left_s : 0) > 0) {
        for my $fd (keys %readers) { $readers{$fd}->() if $readers{$fd} && vec($read, $fd, 1) }
    }
    tick() if clock_s() >= $next_s;
}

sub obey {
    my ($verb, @words) = @_;
    if ($verb eq 'listen') { open_receiver(@words) }
    elsif ($verb eq 'connect') { open_sender(@words) }
    elsif ($verb eq 'ping') { open_ping(@words) }
    elsif ($verb eq 'report') { report() }
    else { die "Cannot do \"$verb\"" }
}

sub tick {
    $next_s = clock_s() + TICK_S;
    $ticks++;
    send_number($_) for @sent;
    send_echo($_) for $ticks % 2 ? @pinged : ();
}

# Connections --------------------------------------------------------------------------------------------------------------

sub open_receiver {
    my ($port, $at) = (@_, '0.0.0.0');
    my $flow = { port => $port, last => 0, state => 'whole', bytes => '' };
    push @received, $flow;
    socket(my $listener, domain($at), SOCK_STREAM, IPPROTO_TCP) or die "socket: $!";
    setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1);
    bind($listener, address($at, $port)) or die "bind $port: $!";
    listen($listener, 1) or die "listen: $!";
    my $fd = fileno $listener;
    $readers{$fd} = sub {
        accept(my $caller, $listener) or return;
        delete $readers{$fd};
        close $listener;
        $readers{fileno $caller} = sub { take_numbers($flow, $caller) };
    };
}

sub take_numbers {
    my ($flow, $caller) = @_;
    if (!sysread $caller, $flow->{bytes}, MOST_BYTES, length $flow->{bytes}) {
        delete $readers{fileno $caller};
        $flow->{state} = 'ended';
        return;
    }
    while (length $flow->{bytes} >= 4) {
        my $number = unpack 'N', substr $flow->{bytes}, 0, 4, '';
        $flow->{state} = 'gap' if $number != $flow->{last} + 1;
        $flow->{last} = $number;
    }
}

sub open_sender {
    my ($port, $to) = @_;
    socket(my $socket, domain($to), SOCK_STREAM, IPPROTO_TCP) or die "socket: $!";
    connect($socket, address($to, $port)) or die "connect to $to: $!";
    setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1);
    $socket->blocking(0);
    $SIG{PIPE} = 'IGNORE';
    push @sent, { port => $port, to => $to, socket => $socket, last => 0, state => 'open' };
}

sub send_number {
    my ($flow) = @_;
    return if $flow->{state} ne 'open';
    my $count = syswrite $flow->{socket}, pack 'N', $flow->{last} + 1;
    if (defined $count && $count == 4) { $flow->{last}++ }
    elsif (!$!{EAGAIN}) { $flow->{state} = 'ended' }
}

# Pings --------------------------------------------------------------------------------------------------------------------

sub open_ping {
    my ($to) = @_;
    push @pinged, { to => $to, at => {}, answered => {}, next => 1 };
    return if defined $icmp;
    socket($icmp, AF_INET, SOCK_RAW, IPPROTO_ICMP) or die "socket: $!";
    $readers{fileno $icmp} = sub {
        my $sender = recv($icmp, my $packet, MOST_BYTES, 0) // return;
        my $from = inet_ntop(AF_INET, (unpack_sockaddr_in($sender))[1]);
        my ($type, undef, undef, $id, $number) = unpack 'CCnnn', substr $packet, (ord($packet) & 15) * 4;
        return if $type != 0 || $id != ($$ & 0xffff);
        $_->{answered}{$number} = 1 for grep { $_->{to} eq $from } @pinged;
    };
}

sub send_echo {
    my ($flow) = @_;
    my $number = $flow->{next}++ & 0xffff;
    my $message = pack 'CCnnn', 8, 0, 0, $$ & 0xffff, $number;
    substr($message, 2, 2) = pack 'n', checksum($message);
    $flow->{at}{$number} = clock_s();
    delete $flow->{answered}{$number};
    send($icmp, $message, 0, pack_sockaddr_in(0, inet_pton(AF_INET, $flow->{to})));
}

# What became of them ------------------------------------------------------------------------------------------------------

sub report {
    print "received $_->{port} $_->{last} $_->{state}\n" for @received;
    print "sent $_->{port} $_->{to} @{[repeated($_->{socket})]} $_->{state}\n" for @sent;
    for my $flow (@pinged) {
        my $late_s = clock_s() - LATE_S;
        my @numbers = grep { $flow->{at}{$_} < $late_s } keys %{ $flow->{at} };
        my $answered = grep { $flow->{answered}{$_} } @numbers;
        print "pinged $flow->{to} @{[scalar @numbers]} $answered\n";
    }
}

sub repeated {
    my ($socket) = @_;
    return unpack 'L', substr getsockopt($socket, IPPROTO_TCP, TCP_INFO), TOTAL_RETRANS_AT, 4;
}
